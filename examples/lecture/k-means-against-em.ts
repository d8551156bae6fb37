import { type Mark, type Plot, palette, svgPlots } from '@eddy/cli/plot'
import { type Block, gaussian, type Mixture, mixture, type Parameters, random } from '@eddy/mixture'
import { em, farApart, fromLabels, labelled } from './em.ts'
import type { Lesson } from './lesson.ts'
import { adjustedRand, column, sample } from './sample.ts'

/**
 * k-means is EM with hard labels, equal weights and one spherical covariance: it can only cut space half-way between
 * means. EM with full covariances learns the shapes.
 */
export function kMeansAgainstEm(): Lesson {
  const long = [
    [3, 0],
    [1.9, 0.35],
  ]
  const { events, truth } = sample(
    [
      { weight: 0.4, mean: [0, -1], factor: long },
      { weight: 0.4, mean: [0, 1.6], factor: long },
      {
        weight: 0.2,
        mean: [5, -3.5],
        factor: [
          [0.6, 0],
          [0, 0.6],
        ],
      },
    ],
    1_500,
    random(3),
  )
  const model = mixture(gaussian({ components: 3, columns: 2, covariance: 'full' }))
  // The best of ten starts for each, by what each minimises or maximises.
  const starts = Array.from({ length: 10 }, (_, seed) => farApart(model, events, random(seed)))
  const hard = starts.map(start => kMeans(events, start, 100)).reduce((a, b) => (b.inertia < a.inertia ? b : a))
  const soft = starts
    .map(start => em(model, events, start, 150))
    .reduce((a, b) => (b.logLikelihoods.at(-1)! > a.logLikelihoods.at(-1)! ? b : a))
  const softLabels = labelled(model, events, soft.parameters).labels
  const bestPossible = labelled(model, events, fromLabels(model, events, truth)).labels
  return {
    pictures: {
      'k-means-against-em.svg': svgPlots([
        picture(events, truth, 'Where the events came from'),
        picture(events, hard.labels, 'k-means'),
        picture(events, softLabels, 'EM, full covariances', ellipses(model, soft.parameters)),
      ]),
    },
    numbers: {
      kMeans: adjustedRand(truth, hard.labels),
      em: adjustedRand(truth, softLabels),
      bestPossible: adjustedRand(truth, bestPossible),
    },
    summary: `adjusted Rand index: k-means ${adjustedRand(truth, hard.labels).toFixed(3)}, EM ${adjustedRand(truth, softLabels).toFixed(3)}, knowing the truth ${adjustedRand(truth, bestPossible).toFixed(3)}`,
  }
}

/** Lloyd's algorithm from the means of `start`. */
export function kMeans(events: Block, start: Parameters, steps: number): { labels: Int32Array; inertia: number } {
  const { rows, columns: d, values } = events
  const means = start.means!.slice()
  const K = means.length / d
  const labels = new Int32Array(rows)
  let inertia = 0
  for (let step = 0; step < steps; step++) {
    const sums = new Float64Array(K * d)
    const counts = new Float64Array(K)
    inertia = 0
    for (let n = 0; n < rows; n++) {
      let least = Infinity
      for (let k = 0; k < K; k++) {
        let distance = 0
        for (let j = 0; j < d; j++) distance += (values[n * d + j]! - means[k * d + j]!) ** 2
        if (distance < least) {
          least = distance
          labels[n] = k
        }
      }
      inertia += least
      counts[labels[n]!]! += 1
      for (let j = 0; j < d; j++) sums[labels[n]! * d + j]! += values[n * d + j]!
    }
    for (let i = 0; i < K * d; i++) {
      const count = counts[Math.floor(i / d)]!
      if (count > 0) means[i] = sums[i]! / count
    }
  }
  return { labels, inertia }
}

/** Ellipses at two standard deviations of two-dimensional full covariances. */
export function ellipses(model: Mixture, parameters: Parameters): Mark[] {
  const { means, covariances } = parameters
  return Array.from({ length: model.inner.components }, (_, k) => ({
    kind: 'ellipse' as const,
    mean: [means![2 * k]!, means![2 * k + 1]!] as const,
    covariance: [covariances![3 * k]!, covariances![3 * k + 1]!, covariances![3 * k + 2]!] as const,
    radius: 2,
    colour: '#000',
  }))
}

function picture(events: Block, labels: Int32Array, title: string, marks: readonly Mark[] = []): Plot {
  return {
    title,
    width: 360,
    height: 340,
    x: { label: 'x₁', domain: [-10, 10] },
    y: { label: 'x₂', domain: [-9, 9] },
    marks: [
      {
        kind: 'points',
        x: column(events, 0),
        y: column(events, 1),
        colour: Array.from(labels, k => palette[k]!),
        radius: 1.6,
      },
      ...marks,
    ],
  }
}
