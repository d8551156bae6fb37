import { type Plot, palette, svgPlots } from '@eddy/cli/plot'
import { gaussian, mixture, random } from '@eddy/mixture'
import { em, type Fit, fromLabels, hardEm } from './em.ts'
import type { Lesson } from './lesson.ts'
import { column, grid, histogram, normalCdf, normalDensity, sample } from './sample.ts'

/**
 * Hard and soft labels on two overlapping components N(±1, 1). Hard labels cut each component at the border, so that the
 * means move apart: to E[x | x > 0] = 2 φ(1) + 2 Φ(1) − 1 = 1.1666 each. Soft labels find 1.
 */
export function hardAndSoft(): Lesson {
  const { events } = sample(
    [
      { weight: 0.5, mean: [-1], factor: [[1]] },
      { weight: 0.5, mean: [1], factor: [[1]] },
    ],
    20_000,
    random(2),
  )
  const x = column(events, 0)
  const model = mixture(gaussian({ components: 2, columns: 1, covariance: 'tied' }))
  const start = fromLabels(
    model,
    events,
    x.map(value => (value < 0 ? 0 : 1)),
  )
  const soft = em(model, events, start, 200)
  const hard = hardEm(model, events, start, 30)
  const half = (fit: Fit) => (fit.parameters.means![1]! - fit.parameters.means![0]!) / 2
  const sd = (fit: Fit) => Math.sqrt(fit.parameters.covariances![0]!)
  const truncated = 2 * normalDensity(1, 0, 1) + 2 * normalCdf(1) - 1
  const xs = grid(-5, 5, 200)
  const density = (fit: Fit, k: number) =>
    xs.map(value => fit.parameters.weights![k]! * normalDensity(value, fit.parameters.means![k]!, sd(fit)))
  const plot = (fit: Fit, title: string): Plot => ({
    title,
    x: { label: 'x', domain: [-5, 5] },
    y: { label: 'density', domain: [0, 0.32] },
    marks: [
      { kind: 'bars', ...histogram(x, -5, 5, 80), colour: palette[6]! },
      ...[0, 1].map(k => ({
        kind: 'line' as const,
        x: xs,
        y: density(fit, k),
        colour: palette[k]!,
        name: `component ${k + 1}`,
      })),
      {
        kind: 'line',
        x: xs,
        y: xs.map((_, i) => density(fit, 0)[i]! + density(fit, 1)[i]!),
        colour: palette[2]!,
        name: 'mixture',
      },
    ],
  })
  return {
    pictures: {
      'hard-and-soft.svg': svgPlots([
        plot(soft, `Soft labels: means ±${half(soft).toFixed(2)}, sd ${sd(soft).toFixed(2)}`),
        plot(hard, `Hard labels: means ±${half(hard).toFixed(2)}, sd ${sd(hard).toFixed(2)}`),
      ]),
    },
    numbers: {
      soft: half(soft),
      hard: half(hard),
      truncated,
      softVariance: sd(soft) ** 2,
      hardVariance: sd(hard) ** 2,
      // Var(x | x > 0) = E[x²] − E[x | x > 0]², and E[x²] = 2
      truncatedVariance: 2 - truncated ** 2,
    },
    summary: `true ±1; soft labels ±${half(soft).toFixed(3)}, hard labels ±${half(hard).toFixed(3)} (closed form ±${truncated.toFixed(3)})`,
  }
}
