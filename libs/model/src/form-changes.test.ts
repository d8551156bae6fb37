import { createSpecification, type SpecificationInput } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { formChanges } from './form-changes.ts'

const learned = {
  features: [
    { name: 'spend', type: 'number', transform: 'log1p' },
    { name: 'age', type: 'number', transform: 'none' },
    { name: 'income', type: 'number', transform: 'auto', bounds: [0, 9] },
    { name: 'channel', type: 'category', values: ['web', 'shop'], categories: 2 },
  ],
  components: 6,
  covariance: 'full',
} as const satisfies SpecificationInput
const [spend, age, income, channel] = learned.features

/** What was decided at the warm-up is part of what is stored. */
const stored = createSpecification({
  ...learned,
  features: [spend, age, { ...income, treatment: { transform: 'sqrt', offset: 1 } }, channel],
})
const features = (...list: SpecificationInput['features']) => ({ features: list })

const refused: readonly (readonly [string, Partial<SpecificationInput>, string, string])[] = [
  ['model.components', { components: 4 }, '6', '4'],
  ['model.covariance', { covariance: 'diag' }, 'full', 'diag'],
  ['model.family', { family: 'student-t' }, 'gaussian', 'student-t'],
  ['model.degreesOfFreedom', { degreesOfFreedom: 5 }, 'none', '5'],
  ['features', features(age, spend, income, channel), 'spend, age, income, channel', 'age, spend, income, channel'],
  ['features', features(spend, age, channel), 'spend, age, income, channel', 'spend, age, channel'],
  [
    'features',
    features(spend, age, income, channel, 'new'),
    'spend, age, income, channel',
    'spend, age, income, channel, new',
  ],
  ['features.age.type', features(spend, { name: 'age', type: 'count' }, income, channel), 'number', 'count'],
  [
    'features.channel.values',
    features(spend, age, income, { ...channel, values: ['shop', 'web'] }),
    'web, shop',
    'shop, web',
  ],
  ['features.spend.transform', features({ ...spend, transform: 'none' }, age, income, channel), 'log1p', 'none'],
  ['features.spend.transform', features({ ...spend, transform: 'auto' }, age, income, channel), 'log1p', 'auto'],
  ['features.income.transform', features(spend, age, { name: 'income', transform: 'none' }, channel), 'auto', 'none'],
  ['features.age.resolution', features(spend, { ...age, resolution: 1 }, income, channel), 'none', '1'],
  ['features.age.atom', features(spend, { ...age, atom: 0 }, income, channel), 'none', '0'],
]

const fits: readonly (readonly [string, Partial<SpecificationInput>])[] = [
  ['the same', {}],
  ['bounds', features(spend, age, { ...income, bounds: [0, 20] }, channel)],
  ['a unit', features({ ...spend, unit: 'EUR' }, age, income, channel)],
  ['the step size', { stepSize: { halfLife: 1000 } }],
  ['the variance floor and the prior', { prior: { varianceFloor: 1e-3, meanPseudoEvents: 2 } }],
  ['the warm-up', { warmUp: { events: 9, restarts: 1, iterations: 1 } }],
  ['auto, which none was the default of before', features(spend, { ...age, transform: 'auto' }, income, channel)],
]

describe('formChanges', () => {
  it.each(refused)('tells %s', (setting, change, was, is) => {
    const [first, ...others] = formChanges(stored, createSpecification({ ...learned, ...change }))
    expect(first).toMatchObject({ setting, stored: was, configured: is })
    expect(others).toEqual([])
  })

  it.each(fits)('has nothing against %s', (_, change) => {
    expect(formChanges(stored, createSpecification({ ...learned, ...change }))).toEqual([])
  })
})

it('an exposure that a count was learned under is a change of the model, not of its features', () => {
  const of = (exposure?: string) =>
    createSpecification({
      ...learned,
      features: [
        { name: 'visits', type: 'count', ...(exposure === undefined ? {} : { exposure }) },
        { name: 'clicks', type: 'count', exposure: 'days' },
        { name: 'days', type: 'exposure' },
      ],
    })
  expect(formChanges(of('days'), of())).toEqual([
    { setting: 'features.visits.exposure', stored: 'days', configured: 'none', of: 'model' },
  ])
})
