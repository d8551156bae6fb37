import { palette, svgPlots } from '@eddy/cli/plot'
import { gaussian, mixture, random } from '@eddy/mixture'
import { fromLabels, labelled } from './em.ts'
import type { Lesson } from './lesson.ts'
import { column, grid, mean, normalCdf, normalDensity, sample } from './sample.ts'

/**
 * Two classes N(0, 1) and N(2, 1) with priors 0.8 and 0.2. Decide for class 1 where
 * p(x | 1) / p(x | 0) > (prior₀ · cost of a false alarm) / (prior₁ · cost of a miss); here that is
 * x > 1 + ½ ln(…), a threshold that the classes learned from labelled events must find.
 */
export function likelihoodRatio(): Lesson {
  const priors = [0.8, 0.2] as const
  const costs = { falseAlarm: 1, miss: 5 }
  const { events, truth } = sample(
    [
      { weight: priors[0], mean: [0], factor: [[1]] },
      { weight: priors[1], mean: [2], factor: [[1]] },
    ],
    100_000,
    random(6),
  )
  // Learning with labels is one M-step: no E-step is needed where nothing is latent.
  const model = mixture(gaussian({ components: 2, columns: 1, covariance: 'tied' }))
  const parameters = fromLabels(model, events, truth)
  const { posterior } = labelled(model, events, parameters)
  const [m0, m1, v] = [parameters.means![0]!, parameters.means![1]!, parameters.covariances![0]!]
  const learned = (costRatio: number) =>
    (m0 + m1) / 2 + (v / (m1 - m0)) * Math.log((parameters.weights![0]! / parameters.weights![1]!) * costRatio)
  const exact = (costRatio: number) => 1 + Math.log((priors[0] / priors[1]) * costRatio) / 2
  const ratio = costs.falseAlarm / costs.miss

  const error = (threshold: number) => priors[0] * (1 - normalCdf(threshold)) + priors[1] * normalCdf(threshold - 2)
  const risk = (threshold: number, miss: number) =>
    priors[0] * (1 - normalCdf(threshold)) + miss * priors[1] * normalCdf(threshold - 2)
  const wrong = mean(Array.from(truth, (label, n) => Number(posterior[2 * n + 1]! > 0.5) ^ label))
  const x = grid(-3, 5, 200)
  const thresholds = grid(-4, 6, 201)
  return {
    pictures: {
      'likelihood-ratio.svg': svgPlots([
        {
          title: 'Two classes and where to decide',
          x: { label: 'x', domain: [-3, 5] },
          y: { label: 'prior × density', domain: [0, 0.34] },
          marks: [
            {
              kind: 'line',
              x,
              y: x.map(t => priors[0] * normalDensity(t, 0, 1)),
              colour: palette[0]!,
              name: 'class 0',
            },
            {
              kind: 'line',
              x,
              y: x.map(t => priors[1] * normalDensity(t, 2, 1)),
              colour: palette[1]!,
              name: 'class 1',
            },
            {
              kind: 'line',
              x: [exact(1), exact(1)],
              y: [0, 1],
              colour: palette[6]!,
              dashed: true,
              name: 'equal costs',
            },
            {
              kind: 'line',
              x: [exact(ratio), exact(ratio)],
              y: [0, 1],
              colour: palette[3]!,
              dashed: true,
              name: 'a miss costs 5',
            },
          ],
        },
        {
          title: 'Every threshold: the ROC curve',
          legend: 'bottom',
          x: { label: 'false alarms', domain: [0, 1] },
          y: { label: 'hits', domain: [0, 1] },
          marks: [
            {
              kind: 'line',
              x: thresholds.map(t => 1 - normalCdf(t)),
              y: thresholds.map(t => 1 - normalCdf(t - 2)),
              colour: palette[2]!,
              name: 'likelihood ratio',
            },
            { kind: 'line', x: [0, 1], y: [0, 1], colour: palette[6]!, dashed: true, name: 'chance' },
            {
              kind: 'points',
              x: [1, ratio].map(r => 1 - normalCdf(learned(r))),
              y: [1, ratio].map(r => 1 - normalCdf(learned(r) - 2)),
              colour: [palette[6]!, palette[3]!],
              radius: 5,
              opacity: 1,
            },
          ],
        },
      ]),
    },
    numbers: {
      threshold: learned(1),
      thresholdClosedForm: exact(1),
      thresholdWithCosts: learned(ratio),
      thresholdWithCostsClosedForm: exact(ratio),
      error: wrong,
      bayesError: error(exact(1)),
      risk: risk(learned(ratio), costs.miss),
      leastRisk: risk(exact(ratio), costs.miss),
      auc: areaUnder(column(events, 0), truth),
      aucClosedForm: normalCdf(2 / Math.SQRT2),
    },
    summary: `threshold ${learned(1).toFixed(3)} (closed form ${exact(1).toFixed(3)}), error ${(100 * wrong).toFixed(2)} % (Bayes ${(100 * error(exact(1))).toFixed(2)} %)`,
  }
}

/** Area under the ROC curve of a score: P(score of class 1 > score of class 0), by ranks. */
function areaUnder(scores: Float64Array, truth: Int32Array): number {
  const order = [...scores.keys()].sort((a, b) => scores[a]! - scores[b]!)
  const ones = truth.reduce((a, b) => a + b, 0)
  let ranks = 0
  order.forEach((n, rank) => {
    if (truth[n] === 1) ranks += rank + 1
  })
  return (ranks - (ones * (ones + 1)) / 2) / (ones * (truth.length - ones))
}
