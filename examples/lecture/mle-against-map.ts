import { palette, svgPlot } from '@eddy/cli/plot'
import { gaussian, mixture, type Prior, random } from '@eddy/mixture'
import { em, farApart, fromLabels, likelihood, meanLogLikelihood } from './em.ts'
import type { Lesson } from './lesson.ts'
import { type Component, mean, sample } from './sample.ts'

/** A little of everything: pseudo-events that a prior belief counts for (Dirichlet and Normal-Inverse-Wishart). */
const belief: Prior = { weightPseudoEvents: 1, meanPseudoEvents: 0.5, covariancePseudoEvents: 8, varianceFloor: 1e-6 }

const segments: readonly Component[] = [
  { weight: 0.5, mean: [0, 0, 0, 0], factor: lower([1, 1, 1, 1], 0.5) },
  { weight: 0.3, mean: [3, 0, 2, 0], factor: lower([0.6, 1, 0.6, 1], -0.4) },
  { weight: 0.2, mean: [0, 3, 0, -3], factor: lower([1, 0.5, 1, 0.5], 0.2) },
]

/**
 * With few events maximum likelihood believes what chance showed it: held-out likelihood is low. The maximum a posteriori
 * estimate leans on the prior there, and agrees with maximum likelihood where there is much data.
 */
export function mleAgainstMap(): Lesson {
  const model = mixture(gaussian({ components: 3, columns: 4, covariance: 'full' }))
  const heldOut = sample(segments, 5_000, random(99)).events
  const sizes = [15, 20, 30, 45, 70, 100, 150, 220, 330, 500, 1_000, 2_000]
  const curve = (prior: Prior) =>
    sizes.map(size =>
      mean(
        Array.from({ length: 8 }, (_, run) => {
          const { events } = sample(segments, size, random(100 + run))
          const fits = [0, 1, 2].map(seed =>
            em(model, events, farApart(model, events, random(seed), belief), 50, prior),
          )
          const best = fits.reduce((a, b) => (b.logLikelihoods.at(-1)! > a.logLikelihoods.at(-1)! ? b : a))
          return meanLogLikelihood(model, heldOut, best.parameters)
        }),
      ),
    )
  const mle = curve(likelihood)
  const map = curve(belief)
  const truth = meanLogLikelihood(model, heldOut, fromLabels(model, ...labelledSample()))
  const x = sizes.map(Math.log10)
  return {
    pictures: {
      'mle-against-map.svg': svgPlot({
        title: 'Held-out log-likelihood by the number of events learned from',
        width: 640,
        x: { label: 'log₁₀ events', domain: [1.1, 3.4] },
        y: { label: 'nats per event', domain: [-12, -4.8] },
        legend: 'bottom',
        marks: [
          { kind: 'line', x: [1, 4], y: [truth, truth], colour: palette[6]!, dashed: true, name: 'the truth' },
          { kind: 'line', x, y: mle, colour: palette[1]!, dots: true, name: 'maximum likelihood' },
          { kind: 'line', x, y: map, colour: palette[0]!, dots: true, name: 'maximum a posteriori' },
        ],
      }),
    },
    numbers: { mleFew: mle[2]!, mapFew: map[2]!, mleMany: mle.at(-1)!, mapMany: map.at(-1)!, truth, ...closedForm() },
    summary: `held out, ${sizes[2]} events: MLE ${mle[2]!.toFixed(2)}, MAP ${map[2]!.toFixed(2)}; ${sizes.at(-1)} events: ${mle.at(-1)!.toFixed(3)}, ${map.at(-1)!.toFixed(3)} (truth ${truth.toFixed(3)})`,
  }
}

function labelledSample() {
  const { events, truth } = sample(segments, 100_000, random(98))
  return [events, truth] as const
}

/** Two labelled groups in one dimension: the MAP weight and mean against their formulas. */
function closedForm() {
  const values = Float64Array.of(0, 1, 2, 10, 14)
  const model = mixture(gaussian({ components: 2, columns: 1, covariance: 'full' }))
  const prior: Prior = { ...likelihood, weightPseudoEvents: 2, meanPseudoEvents: 3 }
  const { weights, means } = fromLabels(model, { rows: 5, columns: 1, values }, [0, 0, 0, 1, 1], prior)
  return {
    weight: weights![1]!,
    // (N_k + α) / (N + K α)
    weightClosedForm: (2 + 2) / (5 + 2 * 2),
    mean: means![1]!,
    // (N_k x̄_k + κ m₀) / (N_k + κ), m₀ the mean of all
    meanClosedForm: (24 + 3 * (27 / 5)) / (2 + 3),
  }
}

/** Lower-triangular factor with standard deviations `sds` and neighbours correlated by `r`. */
function lower(sds: readonly number[], r: number): number[][] {
  return sds.map((sd, i) =>
    sds.map((_, j) => (j === i ? sd * (i === 0 ? 1 : Math.sqrt(1 - r * r)) : j === i - 1 ? sd * r : 0)),
  )
}
