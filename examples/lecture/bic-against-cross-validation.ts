import { type Block, gaussian, mixture, random } from '@eddy/mixture'
import { type Plot, palette, svgPlots } from 'eddy/plot'
import { em, farApart, likelihood, meanLogLikelihood } from './em.ts'
import type { Lesson } from './lesson.ts'
import { type Component, sample } from './sample.ts'

const counts = [1, 2, 3, 4, 5, 6]
const folds = 5

/**
 * How many components? BIC = 2 log L − p log n punishes parameters by a rule that assumes much data and a true model;
 * cross-validation asks events that were not learned. With much data both find the truth. With little data in several
 * dimensions BIC merges segments that are plainly there.
 */
export function bicAgainstCrossValidation(): Lesson {
  const much = chosen(sample(segments(2), 3_000, random(21)).events)
  const little = chosen(sample(segments(6), 150, random(22)).events)
  return {
    pictures: {
      'bic-against-cross-validation.svg': svgPlots([
        picture(much, '3,000 events, 2 dimensions, truth: 3'),
        picture(little, '150 events, 6 dimensions, truth: 3'),
      ]),
    },
    numbers: {
      bicMuch: best(much.bic),
      crossValidationMuch: best(much.crossValidation),
      bicLittle: best(little.bic),
      crossValidationLittle: best(little.crossValidation),
    },
    summary: `much data: BIC ${best(much.bic)}, cross-validation ${best(much.crossValidation)}; little data: BIC ${best(little.bic)}, cross-validation ${best(little.crossValidation)} (truth 3)`,
  }
}

/** Three segments, 4 standard deviations apart, in d dimensions. */
function segments(d: number): Component[] {
  const unit = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? 1 : 0)))
  const at = (...place: number[]) => Array.from({ length: d }, (_, i) => place[i] ?? 0)
  return [at(0, 0), at(4, 0), at(2, 3.5)].map(mean => ({ weight: 1 / 3, mean, factor: unit }))
}

/** Both criteria for every number of components, per event and so that more is better. */
function chosen(events: Block) {
  const { rows, columns: d } = events
  const fit = (block: Block, K: number) => {
    const model = mixture(gaussian({ components: K, columns: d, covariance: 'full' }))
    const prior = { ...likelihood, varianceFloor: 1e-2 }
    const fits = [0, 1, 2].map(seed => em(model, block, farApart(model, block, random(seed), prior), 40, prior))
    return { model, best: fits.reduce((a, b) => (b.logLikelihoods.at(-1)! > a.logLikelihoods.at(-1)! ? b : a)) }
  }
  const bic = counts.map(K => {
    const parameters = K - 1 + K * d + (K * d * (d + 1)) / 2
    const { model, best } = fit(events, K)
    return meanLogLikelihood(model, events, best.parameters) - (parameters * Math.log(rows)) / (2 * rows)
  })
  const crossValidation = counts.map(K => {
    let sum = 0
    for (let fold = 0; fold < folds; fold++) {
      const [train, test] = [part(events, n => n % folds !== fold), part(events, n => n % folds === fold)]
      const { model, best } = fit(train, K)
      sum += meanLogLikelihood(model, test, best.parameters) * test.rows
    }
    return sum / rows
  })
  return { bic, crossValidation }
}

function part({ rows, columns, values }: Block, keep: (n: number) => boolean): Block {
  const chosen = Array.from({ length: rows }, (_, n) => n).filter(keep)
  const picked = new Float64Array(chosen.length * columns)
  chosen.forEach((n, i) => {
    picked.set(values.subarray(n * columns, (n + 1) * columns), i * columns)
  })
  return { rows: chosen.length, columns, values: picked }
}

const best = (scores: readonly number[]): number => counts[scores.indexOf(Math.max(...scores))]!

function picture({ bic, crossValidation }: ReturnType<typeof chosen>, title: string): Plot {
  return {
    title,
    x: { label: 'components', domain: [0.5, 6.5] },
    y: { label: 'nats per event' },
    legend: 'bottom',
    marks: [
      { kind: 'line', x: counts, y: bic, colour: palette[1]!, dots: true, name: `−BIC/2n: takes ${best(bic)}` },
      {
        kind: 'line',
        x: counts,
        y: crossValidation,
        colour: palette[0]!,
        dots: true,
        name: `cross-validation: takes ${best(crossValidation)}`,
      },
    ],
  }
}
