import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { threeCounts } from './grades.ts'
import { lessons } from './lecture.ts'
import type { Lesson } from './lesson.ts'
import { normalCdf, normalDensity } from './sample.ts'

/** Runs a lesson, checks its pictures, gives its numbers. */
function numbersOf(name: string): Record<string, number> {
  const lesson: Lesson = lessons[name]!()
  for (const [file, content] of Object.entries(lesson.pictures)) {
    expect(existsSync(new URL(`./pictures/${file}`, import.meta.url)), `${file}: run npm run lecture`).toBe(true)
    if (typeof content === 'string') expect(content).not.toMatch(/NaN|Infinity|undefined/)
    else expect([...content.subarray(0, 4)]).toEqual([0x89, 0x50, 0x4e, 0x47])
  }
  expect(lesson.summary).not.toMatch(/NaN|undefined/)
  return { ...lesson.numbers }
}

describe('the lecture in numbers', () => {
  it('two Gaussians: EM never falls, and the mixture has the mean and variance of the sample', () => {
    const n = numbersOf('two-gaussians')
    expect(n.largestFall).toBeLessThan(1e-12)
    expect(n.meanOfMixture).toBeCloseTo(n.meanOfSample!, 10)
    expect(n.varianceOfMixture).toBeCloseTo(n.varianceOfSample!, 10)
    // Within four standard errors of the truth, 2,000 events.
    expect(Math.abs(n.weight! - 0.4)).toBeLessThan(0.05)
    expect(Math.abs(n.leftMean! + 2)).toBeLessThan(0.15)
    expect(Math.abs(n.rightMean! - 1.5)).toBeLessThan(0.1)
    expect(Math.abs(n.rightVariance! - 0.64)).toBeLessThan(0.1)
  })

  it('hard labels push the means to those of truncated normals, soft labels do not', () => {
    const n = numbersOf('hard-and-soft')
    expect(n.truncated).toBeCloseTo(1.16663, 5)
    expect(Math.abs(n.hard! - n.truncated!)).toBeLessThan(0.02)
    expect(Math.abs(n.hardVariance! - n.truncatedVariance!)).toBeLessThan(0.03)
    expect(Math.abs(n.soft! - 1)).toBeLessThan(0.04)
  })

  it('EM finds shapes that k-means cannot', () => {
    const n = numbersOf('k-means-against-em')
    expect(n.kMeans).toBeLessThan(0.5)
    expect(n.em).toBeGreaterThan(n.bestPossible! - 0.01)
    expect(n.bestPossible).toBeGreaterThan(0.99)
  })

  it('three splits of one Gaussian find four components', () => {
    const n = numbersOf('splitting')
    expect(n.found).toBeGreaterThan(0.99)
    expect(n.one).toBeCloseTo(n.sampleMean!, 10)
  })

  it('a component on one event collapses, unless the floor holds it exactly there', () => {
    const n = numbersOf('variance-floor')
    expect(n.collapsed).toBeLessThan(1e-5)
    expect(n.held).toBeCloseTo(n.floor!, 8)
  })

  it('BIC and cross-validation agree on much data; on little BIC merges what is there', () => {
    expect(numbersOf('bic-against-cross-validation')).toEqual({
      bicMuch: 3,
      crossValidationMuch: 3,
      bicLittle: 2,
      crossValidationLittle: 3,
    })
  })

  it('grades: Moore’s published steps, the closed form, and θ → N_c/N', () => {
    const n = numbersOf('grades')
    // Moore (2001): μ = 0, 0.0833, 0.0937, 0.0947, 0.0948, 0.0948 for h = 20, c = 10, d = 10
    const published = [0, 0.0833, 0.0937, 0.0947, 0.0948, 0.0948]
    threeCounts(20, 10, 10, 0, 5).forEach((mu, i) => {
      expect(Math.abs(mu - published[i]!)).toBeLessThan(1e-4)
    })
    expect(n.mu).toBeCloseTo(n.maximum!, 12)
    expect(n.theta).toBeCloseTo(0.14, 12)
  })

  it('MAP beats maximum likelihood on few events, equals it on many, and follows its formulas', () => {
    const n = numbersOf('mle-against-map')
    expect(n.weight).toBeCloseTo(n.weightClosedForm!, 14)
    expect(n.mean).toBeCloseTo(n.meanClosedForm!, 12)
    expect(n.mapFew! - n.mleFew!).toBeGreaterThan(0.5)
    expect(Math.abs(n.mapMany! - n.mleMany!)).toBeLessThan(0.02)
    expect(n.mleMany).toBeLessThan(n.truth!)
  })

  it('the likelihood ratio decides at the closed-form thresholds with the Bayes error', () => {
    const n = numbersOf('likelihood-ratio')
    expect(Math.abs(n.threshold! - n.thresholdClosedForm!)).toBeLessThan(0.02)
    expect(Math.abs(n.thresholdWithCosts! - n.thresholdWithCostsClosedForm!)).toBeLessThan(0.02)
    expect(Math.abs(n.error! - n.bayesError!)).toBeLessThan(0.004)
    expect(n.risk! - n.leastRisk!).toBeLessThan(1e-4)
    expect(n.aucClosedForm).toBeCloseTo(0.92135, 5)
    expect(Math.abs(n.auc! - n.aucClosedForm!)).toBeLessThan(0.005)
  })

  it('a photograph falls into segments of colour', () => {
    const n = numbersOf('image-segmentation')
    expect(n.pixels).toBe(240_000)
    expect(n.weights).toBeCloseTo(1, 12)
    expect(n.explainedByTwo).toBeGreaterThan(0.4)
    expect(n.explainedByFive).toBeGreaterThan(0.8)
    expect(n.logLikelihoodGain).toBeGreaterThan(0.5)
  })

  it('PLSA: one topic has the closed-form likelihood, six never fall', () => {
    const n = numbersOf('topics')
    expect(n.oneTopic).toBeCloseTo(n.oneTopicClosedForm!, 6)
    expect(n.largestFall).toBeLessThan(1e-8)
    expect(n.sixTopics).toBeGreaterThan(n.oneTopic! + 1_000)
  })

  it('factor analysis recovers a 3-D body from 2-D points, and the noise', () => {
    const n = numbersOf('factor-analysis')
    expect(n.distanceError).toBeLessThan(0.01)
    expect(Math.abs(n.noiseSd! - n.trueNoiseSd!)).toBeLessThan(0.001)
    expect(n.largestFall).toBeLessThan(1e-9)
  })
})

it('the normal distribution of the closed forms is right', () => {
  expect(normalCdf(0)).toBe(0.5)
  expect(normalCdf(1)).toBeCloseTo(0.8413447460685429, 13)
  expect(normalCdf(-3)).toBeCloseTo(0.0013498980316300946, 14)
  expect(normalCdf(7)).toBeCloseTo(1, 11)
  expect(normalDensity(0, 0, 2)).toBeCloseTo(0.19947114020071635, 14)
})
