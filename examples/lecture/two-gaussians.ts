import { type Mark, type Plot, palette, svgPlots } from '@eddy/cli/plot'
import { gaussian, mixture, type Parameters, random } from '@eddy/mixture'
import { em, fromLabels } from './em.ts'
import type { Lesson } from './lesson.ts'
import { column, grid, histogram, mean, normalDensity, sample, variance } from './sample.ts'

/** A mixture of two Gaussians, found again by EM from a poor start. */
export function twoGaussians(): Lesson {
  const { events } = sample(
    [
      { weight: 0.4, mean: [-2], factor: [[1]] },
      { weight: 0.6, mean: [1.5], factor: [[0.8]] },
    ],
    2_000,
    random(1),
  )
  const x = column(events, 0)
  const model = mixture(gaussian({ components: 2, columns: 1, covariance: 'full' }))
  // Poor: the labels depend on the order of the events only, so both components start nearly alike.
  const start = fromLabels(
    model,
    events,
    x.map((value, n) => (n % 10 < 5 && value < 2 ? 0 : 1)),
  )
  const { parameters, path, logLikelihoods } = em(model, events, start, 200)
  const { weights, means, covariances } = numbersOf(parameters)
  const mixed = means.reduce((sum, m, k) => sum + weights[k]! * m, 0)
  const spread = means.reduce((sum, m, k) => sum + weights[k]! * (covariances[k]! + (m - mixed) ** 2), 0)
  return {
    pictures: {
      'two-gaussians.svg': svgPlots([0, 10, 200].map(step => picture(x, path[step]!, `After ${step} EM steps`))),
    },
    numbers: {
      weight: weights[0]!,
      leftMean: means[0]!,
      rightMean: means[1]!,
      leftVariance: covariances[0]!,
      rightVariance: covariances[1]!,
      // At every M-step of maximum likelihood the mixture has the sample's mean and variance.
      meanOfMixture: mixed,
      meanOfSample: mean(x),
      varianceOfMixture: spread,
      varianceOfSample: variance(x),
      largestFall: Math.max(...logLikelihoods.slice(1).map((value, i) => logLikelihoods[i]! - value)),
    },
    summary: `0.4 N(−2, 1) + 0.6 N(1.5, 0.64) → ${means
      .map((m, k) => `${weights[k]!.toFixed(3)} N(${m.toFixed(2)}, ${covariances[k]!.toFixed(2)})`)
      .join(' + ')}`,
  }
}

/** Weights, means and variances of two one-dimensional components, the left one first. */
function numbersOf(parameters: Parameters) {
  const order = parameters.means![0]! < parameters.means![1]! ? [0, 1] : [1, 0]
  const pick = (values: Float64Array) => order.map(k => values[k]!)
  return {
    weights: pick(parameters.weights!),
    means: pick(parameters.means!),
    covariances: pick(parameters.covariances!),
  }
}

function picture(x: Float64Array, parameters: Parameters, title: string): Plot {
  const { weights, means, covariances } = numbersOf(parameters)
  const xs = grid(-6, 5, 200)
  const parts = means.map((m, k) => xs.map(value => weights[k]! * normalDensity(value, m, Math.sqrt(covariances[k]!))))
  const lines = parts.map(
    (y, k): Mark => ({ kind: 'line', x: xs, y, colour: palette[k]!, dashed: true, name: `component ${k + 1}` }),
  )
  return {
    title,
    width: 360,
    height: 300,
    x: { label: 'x', domain: [-6, 5] },
    y: { label: 'density', domain: [0, 0.36] },
    marks: [
      { kind: 'bars', ...histogram(x, -6, 5, 55), colour: palette[6]! },
      ...lines,
      { kind: 'line', x: xs, y: xs.map((_, i) => parts[0]![i]! + parts[1]![i]!), colour: palette[2]!, name: 'mixture' },
    ],
  }
}
