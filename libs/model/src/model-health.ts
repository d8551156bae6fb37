import type { Snapshot } from '@eddy/messages'
import { componentFamily, type Family, type ModelSpecification } from '@eddy/mixture'

/** Updates after which a reference centre has moved 63 % of the way to where its segment is. */
const referenceSteps = 100

/**
 * Segments held at the variance floor in some direction: one that stays there has collapsed onto few values.
 * @returns undefined where no feature has such a floor (counts and categories alone)
 */
export function flooredSegments({ specification: text, parameters }: Snapshot): number | undefined {
  const specification = JSON.parse(text) as ModelSpecification
  const floored = componentFamily(specification).floored?.(
    parameters,
    parameters.weights!,
    specification.prior.varianceFloor,
  )
  return floored?.filter(held => held).length
}

/** Mean and variance of a segment's columns, shape (D) each. */
interface Place {
  readonly mean: Float64Array
  readonly variance: Float64Array
}

/**
 * How far each segment's centre is from its reference: its own centre, smoothed over the last hundred or so updates. A segment that
 * moves v standard deviations an update shows 100 v; one that has come to rest goes back to 0.
 */
export class Drift {
  readonly #references = new Map<string, Place>()
  #step = 0
  #known: { readonly text: string; readonly family: Family } | undefined
  /** whether the model seen last was provisional: from few events, and no reference for what follows */
  #provisional = false

  #family(text: string): Family {
    if (this.#known?.text !== text) {
      this.#known = { text, family: componentFamily(JSON.parse(text) as ModelSpecification) }
      this.#references.clear()
    }
    return this.#known.family
  }

  /**
   * Distances by segment id, in standard deviations: the root mean square over features, a category counting as the mean of its
   * values. The variance is half the segment's own, half that of its reference: a share that falls to nearly 0 has none of its own.
   */
  observe(snapshot: Snapshot): ReadonlyMap<string, number> {
    const distances = new Map<string, number>()
    const family = this.#family(snapshot.specification)
    if (this.#provisional) this.#references.clear()
    this.#provisional = snapshot.provisional
    const { columns, means, variances } = family.moments(snapshot.parameters)
    const D = columns.length
    const sizes = new Float64Array(family.columns)
    for (const column of columns) sizes[column]!++
    const described = sizes.filter(size => size > 0).length
    const steps = Math.max(0, Number(snapshot.step) - this.#step)
    const share = 1 - Math.exp(-steps / referenceSteps)
    for (const [k, { id }] of snapshot.segments.entries()) {
      const mean = means.subarray(k * D, (k + 1) * D)
      const variance = variances.subarray(k * D, (k + 1) * D)
      const reference = this.#references.get(id) ?? { mean: mean.slice(), variance: variance.slice() }
      let squares = 0
      for (let j = 0; j < D; j++) {
        reference.mean[j]! += share * (mean[j]! - reference.mean[j]!)
        reference.variance[j]! += share * (variance[j]! - reference.variance[j]!)
        const distance = mean[j]! - reference.mean[j]!
        if (distance !== 0)
          squares += distance ** 2 / ((variance[j]! + reference.variance[j]!) / 2) / sizes[columns[j]!]!
      }
      this.#references.set(id, reference)
      distances.set(id, Math.sqrt(squares / described))
    }
    for (const id of this.#references.keys()) if (!distances.has(id)) this.#references.delete(id)
    this.#step = Number(snapshot.step)
    return distances
  }
}
