import { palette, svgPlots } from '@eddy/cli/plot'
import { gaussian, mixture, random } from '@eddy/mixture'
import { em, fromLabels, likelihood } from './em.ts'
import type { Lesson } from './lesson.ts'
import { column, sample, variance } from './sample.ts'

/**
 * A component that sits on one event: its variance goes to zero and the likelihood to infinity, unless a floor holds it.
 * The event's own density under it is 1/(σ √2π) → ∞.
 */
export function varianceFloor(): Lesson {
  const { events } = sample([{ weight: 1, mean: [0], factor: [[1]] }], 60, random(5))
  events.values[0] = 4
  const model = mixture(gaussian({ components: 2, columns: 1, covariance: 'full' }))
  const overall = variance(column(events, 0))
  const floors = [1e-12, 1e-2]
  // Both start from a narrow component on the outlier.
  const outlier = Int32Array.from({ length: events.rows }, (_, n) => (n === 0 ? 1 : 0))
  const start = fromLabels(model, events, outlier, { ...likelihood, varianceFloor: 0.1 })
  const fits = floors.map(floor => em(model, events, start, 30, { ...likelihood, varianceFloor: floor }))
  const sds = fits.map(fit => fit.path.map(parameters => Math.sqrt(parameters.covariances![1]!)))
  const steps = fits[0]!.path.map((_, i) => i)
  const names = ['no floor (10⁻¹²)', 'floor 1 % of the variance']
  return {
    pictures: {
      'variance-floor.svg': svgPlots([
        {
          title: 'Width of the component on one event',
          x: { label: 'EM step', domain: [0, 30] },
          y: { label: 'log₁₀ sd', domain: [-7, 1.5] },
          marks: sds.map((sd, i) => ({
            kind: 'line' as const,
            x: steps,
            y: sd.map(value => Math.log10(value)),
            colour: palette[i === 0 ? 1 : 0]!,
            name: names[i]!,
          })),
        },
        {
          title: 'Log-likelihood',
          legend: 'bottom',
          x: { label: 'EM step', domain: [0, 30] },
          y: { label: 'nats per event' },
          marks: fits.map((fit, i) => ({
            kind: 'line' as const,
            x: steps.slice(1),
            y: fit.logLikelihoods,
            colour: palette[i === 0 ? 1 : 0]!,
            name: names[i]!,
          })),
        },
      ]),
    },
    numbers: {
      collapsed: sds[0]!.at(-1)!,
      held: fits[1]!.parameters.covariances![1]!,
      floor: 1e-2 * overall,
    },
    summary: `sd of the component: ${sds[0]!.at(-1)!.toExponential(1)} without a floor, ${sds[1]!.at(-1)!.toFixed(3)} with one`,
  }
}
