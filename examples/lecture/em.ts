import { type Block, empty, type Mixture, type Parameters, type Prior, type Random } from '@eddy/mixture'

/** Maximum likelihood, with a floor that keeps a variance from reaching zero. */
export const likelihood: Prior = {
  weightPseudoEvents: 0,
  meanPseudoEvents: 0,
  covariancePseudoEvents: 0,
  varianceFloor: 1e-6,
}

export interface Fit {
  readonly parameters: Parameters
  /** mean log p(x), nats per event, before each step */
  readonly logLikelihoods: readonly number[]
  /** parameters before each step, and the last ones */
  readonly path: readonly Parameters[]
}

/** EM with soft labels: E-step under the current parameters, M-step from the expected statistics; repeated. */
export function em(model: Mixture, events: Block, start: Parameters, steps: number, prior = likelihood): Fit {
  const path = [start]
  const logLikelihoods: number[] = []
  for (let step = 0; step < steps; step++) {
    const parameters = path.at(-1)!
    const statistics = empty(model)
    const { logLikelihood, weight } = model.expectation(parameters, events, undefined, statistics)
    logLikelihoods.push(logLikelihood / weight)
    path.push(model.maximise(statistics, prior, parameters))
  }
  return { parameters: path.at(-1)!, logLikelihoods, path }
}

/** The same with hard labels: every event belongs wholly to its most probable component (classification EM). */
export function hardEm(model: Mixture, events: Block, start: Parameters, steps: number, prior = likelihood): Fit {
  const path = [start]
  const logLikelihoods: number[] = []
  for (let step = 0; step < steps; step++) {
    const parameters = path.at(-1)!
    const { labels, logDensity } = labelled(model, events, parameters)
    logLikelihoods.push(logDensity.reduce((a, b) => a + b) / events.rows)
    path.push(fromLabels(model, events, labels, prior, parameters))
  }
  return { parameters: path.at(-1)!, logLikelihoods, path }
}

/** M-step from a label an event. */
export function fromLabels(
  model: Mixture,
  events: Block,
  labels: ArrayLike<number>,
  prior = likelihood,
  previous = model.initial(events),
): Parameters {
  const K = model.inner.components
  const responsibilities = new Float64Array(events.rows * K)
  for (let n = 0; n < events.rows; n++) responsibilities[n * K + labels[n]!] = 1
  const statistics = empty(model)
  model.inner.observe(statistics, events, responsibilities, previous)
  return model.maximise(statistics, prior, previous)
}

/** Start: `means` are events far apart (k-means++, Arthur & Vassilvitskii 2007), labels those of the nearest. */
export function farApart(model: Mixture, events: Block, random: Random, prior = likelihood): Parameters {
  const { rows, columns: d, values } = events
  const K = model.inner.components
  const nearest = new Float64Array(rows).fill(Infinity)
  const labels = new Int32Array(rows)
  let seed = Math.floor(random() * rows)
  for (let k = 0; k < K; k++) {
    let total = 0
    for (let n = 0; n < rows; n++) {
      let distance = 0
      for (let j = 0; j < d; j++) distance += (values[n * d + j]! - values[seed * d + j]!) ** 2
      if (distance < nearest[n]!) {
        nearest[n] = distance
        labels[n] = k
      }
      total += nearest[n]!
    }
    let left = random() * total
    seed = 0
    while (seed < rows - 1 && left >= nearest[seed]!) left -= nearest[seed++]!
  }
  return fromLabels(model, events, labels, prior)
}

/** The most probable component of each event, its posteriors (rows, K), and log p(x) in nats. */
export function labelled(model: Mixture, events: Block, parameters: Parameters) {
  const K = model.inner.components
  const posterior = new Float64Array(events.rows * K)
  const logDensity = new Float64Array(events.rows)
  model.score(parameters, events, posterior, logDensity)
  const labels = Int32Array.from({ length: events.rows }, (_, n) => {
    let best = 0
    for (let k = 1; k < K; k++) if (posterior[n * K + k]! > posterior[n * K + best]!) best = k
    return best
  })
  return { labels, posterior, logDensity }
}

/** Mean log p(x), nats per event. */
export function meanLogLikelihood(model: Mixture, events: Block, parameters: Parameters): number {
  return labelled(model, events, parameters).logDensity.reduce((a, b) => a + b, 0) / events.rows
}
