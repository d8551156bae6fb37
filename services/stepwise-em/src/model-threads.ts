import {
  type Block,
  cachedModel,
  type KernelChoice,
  type KernelOptions,
  type ModelSpecification,
  type Parameters,
  type Scores,
} from '@eddy/mixture'
import { Crew } from './crew.ts'
import { type EStep, type Expectation, localEStep, type ModelOfSnapshot } from './e-step.ts'
import { localMStep, type MStep } from './m-step.ts'
import { partsOf, type Work } from './model-part.ts'
import {
  allocate,
  estimatesAmong,
  Operation,
  Role,
  rowsOfThread,
  type SharedLayout,
  type SharedMemory,
  type SharedViews,
  viewsOf,
} from './shared-work.ts'

/** The steps of a model, on threads of their own where that pays. */
export interface ModelThreads {
  readonly eStep: EStep
  readonly mStep: MStep
  /** Posterior and log density of events in the user's units. @param into written to */
  readonly score: (snapshot: ModelOfSnapshot, block: Block, into: Scores) => Promise<void>
  /** Ends the threads; work under way rejects. Idempotent. */
  close(): Promise<void>
}

export interface ModelThreadsOptions {
  /** what each thread selects for itself; default `auto` */
  readonly kernel?: KernelChoice
  readonly kernelOptions?: KernelOptions
  /** multiplications from which on work is handed over; smaller is done by the calling thread, at once */
  readonly worthwhile?: number
  /** multiplications of a part up to which the calling thread does the first one itself */
  readonly helped?: number
}

/** About 1 ms on one thread. To hand work over and take back what came of it costs a tenth of that on an idle machine, and several times as much on a busy one. */
const WORTHWHILE = 2 ** 23

/** Multiplications of a part, some 2 ms, up to which the calling thread does one of the parts itself: it is not held up longer than that. */
const HELPED = 2 ** 24

/**
 * The E-step, the M-step and scoring on threads of their own with shared memory, so that the calling thread stays free and
 * several cores are used. A batch is split into as many equal parts of consecutive rows, whose statistics are added in the order of
 * the parts: the result depends on the number of threads (in the last bits), never on timing. The M-step is split by components, and
 * scoring by events, with the same bits as on one thread. One piece of work is done at a time, in the order asked for. Events, weights
 * and scores of a caller that has them in shared memory are not copied. Of small work the calling thread does the first part, which
 * saves it from being woken.
 * @param threads at least 1
 */
export function modelThreads(threads: number, options: ModelThreadsOptions = {}): ModelThreads {
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new RangeError(`threads: expected an integer of at least 1, got ${threads}. Use localEStep for none.`)
  const { kernel = 'auto', kernelOptions = {}, worthwhile = WORTHWHILE, helped = HELPED } = options
  const crew = new Crew(threads, kernel, kernelOptions)
  const desk = new Desk(crew)
  const modelOf = cachedModel()
  const doPart = partsOf(threads)
  const here = { eStep: localEStep(), mStep: localMStep() }
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }
  const share = (cost: number, work: Work, views: SharedViews): Promise<void> => {
    const helps = threads > 1 && cost / threads <= helped
    return crew.work(work, helps ? () => doPart(0, work, desk.memory, views) : undefined)
  }
  return {
    eStep: (snapshot, block, weights) => {
      const cost = eventCost(modelOf(snapshot.specification).specification) * block.rows
      if (cost < worthwhile) return here.eStep(snapshot, block, weights)
      return inTurn(async () => {
        const shared = desk.lay(snapshot, block)
        if (!crew.lend(Role.weights, weights)) shared.weights.set(weights)
        const { rows, columns, values } = block
        const views = { ...shared, parameters: snapshot.parameters, values, weights }
        await share(cost, { operation: Operation.expectation, rows, columns }, views)
        return sum(shared, block.rows, threads)
      })
    },

    mStep: (previous, statistics, prior) => {
      const cost = updateCost(modelOf(previous.specification).specification)
      if (cost < worthwhile) return here.mStep(previous, statistics, prior)
      return inTurn(async () => {
        const shared = desk.lay(previous)
        shared.statistics.set(statistics)
        const { weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor } = prior
        shared.prior.set([weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor])
        const views = { ...shared, parameters: previous.parameters, statistics }
        await share(cost, { operation: Operation.maximise, rows: 0, columns: 0 }, views)
        const names = estimatesAmong(previous.parameters)
        return { ...previous.parameters, ...copies(names, shared.estimates) }
      })
    },

    score: async (snapshot, block, { posterior, logDensity }) => {
      const model = modelOf(snapshot.specification)
      // Half an E-step.
      const cost = (eventCost(model.specification) * block.rows) / 2
      if (cost < worthwhile) {
        model.score(snapshot.parameters, block, posterior, logDensity)
        return
      }
      await inTurn(async () => {
        const shared = desk.lay(snapshot, block)
        const isPosteriorLent = crew.lend(Role.posterior, posterior)
        const isDensityLent = crew.lend(Role.logDensity, logDensity)
        const { rows, columns, values } = block
        const views = {
          ...shared,
          parameters: snapshot.parameters,
          values,
          ...(isPosteriorLent && { posterior }),
          ...(isDensityLent && { logDensity }),
        }
        await share(cost, { operation: Operation.score, rows, columns }, views)
        const { components } = model.specification
        if (!isPosteriorLent) posterior.set(shared.posterior.subarray(0, block.rows * components))
        if (!isDensityLent) logDensity.set(shared.logDensity.subarray(0, block.rows))
      })
    },

    close: () => crew.close(),
  }
}

/** About the multiplications of the E-step of one event. */
export function eventCost({ features, components, covariance }: ModelSpecification): number {
  const d = features.length
  return components * (covariance === 'diag' || covariance === 'spherical' ? d : d * d)
}

/**
 * The multiplications of an M-step that can be split by components, as a share of what statistics and estimates cost on their way to the
 * threads and back; 0 for what is quick or cannot be split.
 */
function updateCost({ features, components, covariance, family }: ModelSpecification): number {
  const split = family === 'gaussian' && covariance === 'full' && features.every(({ type }) => type === 'number')
  return split ? (components * features.length ** 3) / 16 : 0
}

function copies(names: readonly string[], from: Parameters): Parameters {
  return Object.fromEntries(names.map(name => [name, new Float64Array(from[name]!)]))
}

/** In the order of the threads, of those that had something to do. */
function sum({ sums, totals }: SharedViews, rows: number, threads: number): Expectation {
  const at = sums.flatMap((_, i) => {
    const { from, to } = rowsOfThread(rows, i, threads)
    return from < to ? [i] : []
  })
  const statistics = new Float64Array(sums[at[0] ?? 0]!)
  if (at.length === 0) return { statistics: statistics.fill(0), logLikelihood: 0, weight: 0 }
  let [logLikelihood, weight] = totals[at[0]!] as unknown as [number, number]
  for (const i of at.slice(1)) {
    const part = sums[i]!
    for (let j = 0; j < statistics.length; j++) statistics[j]! += part[j]!
    logLikelihood += totals[i]![0]!
    weight += totals[i]![1]!
  }
  return { statistics, logLikelihood, weight }
}

/** The memory that is shared with the threads, made anew for another model or a larger batch. */
class Desk {
  readonly #crew: Crew
  readonly #modelOf = cachedModel()
  #memory: SharedMemory | undefined
  #views: SharedViews | undefined
  #parameters: Parameters | undefined

  constructor(crew: Crew) {
    this.#crew = crew
  }

  /** What lies there. */
  get memory(): SharedMemory {
    return this.#memory!
  }

  /** Lays out the snapshot's parameters, unless they lie there, and the events. */
  lay({ specification, parameters }: ModelOfSnapshot, block?: Block): SharedViews {
    const { mixture } = this.#modelOf(specification)
    const wanted: SharedLayout = {
      threads: this.#crew.threads,
      rows: Math.max(block?.rows ?? 0, this.#memory?.layout.rows ?? 0),
      columns: Math.max(mixture.columns, block?.columns ?? 0),
      components: mixture.inner.components,
      statisticsLength: mixture.statisticsLength,
      parameters: Object.entries(parameters).map(([name, { length }]) => [name, length]),
    }
    let views = this.#views
    if (views === undefined || this.#memory!.specification !== specification || !same(this.#memory!.layout, wanted)) {
      this.#memory = allocate(specification, wanted)
      this.#crew.send(this.#memory)
      this.#parameters = undefined
      views = this.#views = viewsOf(this.#memory)
    }
    if (this.#parameters !== parameters) {
      for (const [name, array] of Object.entries(parameters)) views.parameters[name]!.set(array)
      this.#parameters = parameters
      this.#crew.renew()
    }
    if (block !== undefined && !this.#crew.lend(Role.values, block.values)) views.values.set(block.values)
    return views
  }
}

const same = (a: SharedLayout, b: SharedLayout): boolean =>
  a.rows === b.rows &&
  a.columns === b.columns &&
  a.parameters.length === b.parameters.length &&
  a.parameters.every(([name, length], i) => name === b.parameters[i]![0] && length === b.parameters[i]![1])
