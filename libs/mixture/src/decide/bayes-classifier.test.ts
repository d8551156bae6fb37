import { describe, expect, test } from 'vitest'
import { batchEm } from '../em/estimators/batch-em.ts'
import { createSpecification } from '../model/specification.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { classify, trainClassifier } from './bayes-classifier.ts'

const uniform = random(5)
const rows = 4000
const labels = Array.from({ length: rows }, (_, n) => (n % 4 === 0 ? 'b' : 'a'))
const values = Float64Array.from(labels, label => (label === 'a' ? 0 : 3) + standardNormal(uniform))
const block = { rows, columns: 1, values }
const specification = createSpecification({ features: ['x'], components: 1, covariance: 'diag', standardise: false })
const estimator = batchEm({ prior: specification.prior })
const classifier = trainClassifier(specification, block, labels, undefined, { estimator, random: random(1) })
const at = (...x: number[]) => ({ rows: x.length, columns: 1, values: Float64Array.from(x) })

describe('Bayes classifier', () => {
  test('learns priors and one density a class', () => {
    expect(classifier.classes).toEqual(['a', 'b'])
    expect(classifier.priors).toEqual([0.75, 0.25])
    // 1,000 events: the mean is known to .032
    expect(Math.abs(classifier.models[1]!.parameters.means![0]! - 3)).toBeLessThan(0.12)
  })

  test('decides where the likelihood ratio crosses the ratio of priors', () => {
    const [a, b] = classifier.models.map(({ parameters }) => ({
      mean: parameters.means![0]!,
      variance: parameters.covariances![0]!,
    }))
    const log = (x: number, c: typeof a) => -0.5 * Math.log(c!.variance) - (x - c!.mean) ** 2 / (2 * c!.variance)
    let boundary = 1
    while (log(boundary, a) + Math.log(0.75) > log(boundary, b) + Math.log(0.25)) boundary += 1e-4
    const { decision } = classify(classifier, at(boundary - 1e-3, boundary + 1e-3))
    expect([...decision]).toEqual([0, 1])
    // equal priors, equal variances: half way, 1.5; the ratio of priors moves it by log(3)/3
    expect(boundary).toBeCloseTo(1.5 + Math.log(3) / 3, 1)
  })

  test('costs move the boundary, and doubt is rejected', () => {
    const cautious = classify(classifier, at(1.6), {
      costs: [
        [0, 1],
        [20, 0],
      ],
    })
    expect(cautious.decision[0]).toBe(1)
    expect(classify(classifier, at(1.6)).decision[0]).toBe(0)
    const { decision, expectedCost } = classify(classifier, at(-1, 1.8, 5), { rejectCost: 0.1 })
    expect([...decision]).toEqual([0, -1, 1])
    expect(expectedCost[1]).toBe(0.1)
  })

  test('given priors replace the shares', () => {
    const even = trainClassifier(specification, block, labels, undefined, {
      estimator,
      random: random(1),
      priors: { a: 1, b: 1 },
    })
    expect(even.priors).toEqual([0.5, 0.5])
    const { posterior } = classify(even, at(1.5))
    expect(posterior[0]! + posterior[1]!).toBeCloseTo(1, 14)
    expect(posterior[0]).toBeCloseTo(0.5, 1)
  })

  test('says what is missing', () => {
    expect(() =>
      trainClassifier(specification, at(1), [undefined], undefined, { estimator, random: random(1) }),
    ).toThrow('labels: expected at least one')
    expect(() => classify(classifier, at(1), { costs: [[0]] })).toThrow('costs: expected 2 rows')
  })
})
