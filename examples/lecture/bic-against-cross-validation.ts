import { type Plot, palette, svgPlots } from '@eddy/cli/plot'
import { type Block, batchEm, createSpecification, fitModel, random, selectComponents } from '@eddy/mixture'
import { likelihood } from './em.ts'
import type { Lesson } from './lesson.ts'
import { type Component, sample } from './sample.ts'

/**
 * How many components? BIC = 2 log L − p log n punishes parameters by a rule that assumes much data and a true model;
 * cross-validation asks events that were not learned. With much data both find the truth. With little data in several
 * dimensions BIC merges segments that are there.
 */
export function bicAgainstCrossValidation(): Lesson {
  const much = chosen(sample(segments(2), 3_000, random(21)).events)
  const little = chosen(sample(segments(6), 300, random(22)).events)
  return {
    pictures: {
      'bic-against-cross-validation.svg': svgPlots([
        picture(much, '3,000 events, 2 dimensions, truth: 3'),
        picture(little, '300 events, 6 dimensions, truth: 3'),
      ]),
    },
    numbers: {
      bicMuch: much.choices.bic!,
      crossValidationMuch: much.choices['cross-validation']!,
      bicLittle: little.choices.bic!,
      crossValidationLittle: little.choices['cross-validation']!,
    },
    summary: `much data: BIC ${much.choices.bic!}, cross-validation ${much.choices['cross-validation']!}; little data: BIC ${little.choices.bic!}, cross-validation ${little.choices['cross-validation']!} (truth 3)`,
  }
}

/** Three segments, 4 standard deviations apart, in d dimensions. */
function segments(d: number): Component[] {
  const unit = Array.from({ length: d }, (_, i) => Array.from({ length: d }, (_, j) => (i === j ? 1 : 0)))
  const at = (...place: number[]) => Array.from({ length: d }, (_, i) => place[i] ?? 0)
  return [at(0, 0), at(4, 0), at(2, 3.5)].map(mean => ({ weight: 1 / 3, mean, factor: unit }))
}

/** Both criteria for every number of components, per event and so that more is better, and what each takes. */
function chosen(events: Block) {
  const specification = createSpecification({
    features: Array.from({ length: events.columns }, (_, i) => `x${i}`),
    components: 1,
    standardise: false,
    prior: { ...likelihood, varianceFloor: 1e-2 },
    // So few events in six dimensions have many maxima.
    warmUp: { restarts: 20 },
  })
  const { candidates, choices } = selectComponents(specification, events, new Float64Array(events.rows).fill(1), {
    minComponents: 1,
    maxComponents: 6,
    criterion: 'cross-validation',
    folds: 5,
    seed: 1,
    fit: (candidate, block, weights) =>
      fitModel(candidate, block, weights, { estimator: batchEm({ prior: candidate.prior }), random: random(1) }),
  })
  return {
    counts: candidates.map(({ components }) => components),
    bic: candidates.map(({ bic }) => -bic / (2 * events.rows)),
    crossValidation: candidates.map(({ crossValidation }) => crossValidation),
    choices,
  }
}

function picture({ counts, bic, crossValidation, choices }: ReturnType<typeof chosen>, title: string): Plot {
  return {
    title,
    x: { label: 'components', domain: [0.5, 6.5] },
    y: { label: 'nats per event' },
    legend: 'bottom',
    marks: [
      { kind: 'line', x: counts, y: bic, colour: palette[1]!, dots: true, name: `−BIC/2n: takes ${choices.bic}` },
      {
        kind: 'line',
        x: counts,
        y: crossValidation,
        colour: palette[0]!,
        dots: true,
        name: `cross-validation: takes ${choices['cross-validation']}`,
      },
    ],
  }
}
