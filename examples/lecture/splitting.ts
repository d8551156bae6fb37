import { type Plot, palette, svgPlots } from '@eddy/cli/plot'
import { type Block, gaussian, type Mixture, mixture, type Parameters, random } from '@eddy/mixture'
import { em, fromLabels, labelled } from './em.ts'
import { ellipses } from './k-means-against-em.ts'
import type { Lesson } from './lesson.ts'
import { adjustedRand, column, sample } from './sample.ts'

/** Start with one Gaussian; split the component of the largest variance along that direction; EM; until there are K. */
export function splitting(): Lesson {
  const round = (sd: number) => [
    [sd, 0],
    [0, sd],
  ]
  const { events, truth } = sample(
    [
      { weight: 0.3, mean: [-4, 3], factor: round(0.8) },
      {
        weight: 0.3,
        mean: [-3, -3],
        factor: [
          [1.2, 0],
          [0.6, 0.5],
        ],
      },
      {
        weight: 0.25,
        mean: [3.5, 2.5],
        factor: [
          [0.6, 0],
          [-0.7, 0.7],
        ],
      },
      { weight: 0.15, mean: [4, -3], factor: round(0.6) },
    ],
    1_200,
    random(4),
  )
  const stages: { model: Mixture; parameters: Parameters; labels: Int32Array }[] = []
  let labels = new Int32Array(events.rows)
  for (let K = 1; K <= 4; K++) {
    const model = mixture(gaussian({ components: K, columns: 2, covariance: 'full' }))
    if (K > 1) labels = split(events, labels, stages.at(-1)!.parameters, K - 1)
    const { parameters } = em(model, events, fromLabels(model, events, labels), 100)
    labels = labelled(model, events, parameters).labels
    stages.push({ model, parameters, labels })
  }
  const plots = stages.map(
    ({ model, parameters, labels }, i): Plot => ({
      title: i === 0 ? 'One Gaussian' : `After split ${i}`,
      width: 300,
      height: 300,
      x: { label: 'x₁', domain: [-8, 8] },
      y: { label: 'x₂', domain: [-7, 7] },
      marks: [
        { kind: 'points', x: column(events, 0), y: column(events, 1), colour: Array.from(labels, k => palette[k]!) },
        ...ellipses(model, parameters),
      ],
    }),
  )
  const found = adjustedRand(truth, labels)
  return {
    pictures: { 'splitting.svg': svgPlots(plots) },
    numbers: {
      found,
      one: stages[0]!.parameters.means![0]!,
      sampleMean: column(events, 0).reduce((a, b) => a + b) / events.rows,
    },
    summary: `four components by three splits: adjusted Rand index ${found.toFixed(3)}`,
  }
}

/**
 * Labels after one split: of the component with the largest eigenvalue of its covariance, the events on the far side of its
 * mean along that eigenvector become component `fresh`.
 */
function split(events: Block, labels: Int32Array, parameters: Parameters, fresh: number): Int32Array<ArrayBuffer> {
  const { means, covariances } = parameters
  let widest = { k: 0, value: 0, direction: [1, 0] }
  for (let k = 0; k < fresh; k++) {
    const [xx, xy, yy] = [covariances![3 * k]!, covariances![3 * k + 1]!, covariances![3 * k + 2]!]
    const value = (xx + yy) / 2 + Math.hypot((xx - yy) / 2, xy)
    // Eigenvector of a symmetric 2 × 2 matrix: at half the angle of (xx − yy, 2xy).
    const angle = Math.atan2(2 * xy, xx - yy) / 2
    if (value > widest.value) widest = { k, value, direction: [Math.cos(angle), Math.sin(angle)] }
  }
  const { k, direction } = widest
  return Int32Array.from(labels, (label, n) => {
    const dx = events.values[2 * n]! - means![2 * k]!
    const dy = events.values[2 * n + 1]! - means![2 * k + 1]!
    return label === k && dx * direction[0]! + dy * direction[1]! > 0 ? fresh : label
  })
}
