import {
  type Block,
  cachedModel,
  createKernel,
  empty,
  type Kernel,
  type KernelChoice,
  type KernelOptions,
  type ModelSpecification,
  merge,
  type Parameters,
} from '@eddy/mixture'
import { Crew, type Help } from './crew.ts'
import { type EStep, type Expectation, localEStep, type ModelOfSnapshot } from './e-step.ts'
import { localMStep, type MStep } from './m-step.ts'
import { partsOf, type Work } from './model-part.ts'
import type { Score } from './score.ts'
import { beginningOf, layoutOf, renewed } from './shared-parameters.ts'
import {
  allocate,
  BLOCK,
  estimatesAmong,
  Operation,
  Role,
  type SharedLayout,
  type SharedMemory,
  type SharedViews,
  viewsOf,
} from './shared-work.ts'

/** The steps of a model, on threads of their own where that pays. */
export interface ModelThreads {
  /** the calling thread's */
  readonly kernel: Kernel
  readonly eStep: EStep
  readonly mStep: MStep
  readonly score: Score
  /** Ends the threads; work under way rejects. Idempotent. */
  close(): Promise<void>
}

export interface ModelThreadsOptions extends Partial<Help> {
  /** what each thread makes for itself, the calling one too; default `auto` */
  readonly kernel?: KernelChoice
  readonly kernelOptions?: KernelOptions
  /** multiplications from which on work is handed over; smaller is done by the calling thread, at once */
  readonly worthwhile?: number
  /** multiplications of a slice, what is done at once */
  readonly slice?: number
}

/** About 1 ms on one thread. To hand work over and take back what came of it costs a tenth of that on an idle machine, and several times as much on a busy one. */
const WORTHWHILE = 2 ** 23

/** Some 4 ms: the calling thread does not hold up the event loop for longer than that. */
const SLICE = 2 ** 25

/** In a slice, of whatever costs nothing. */
const MOST_UNITS = 2 ** 20

/** A turn of an event loop that has nothing to do takes 0.02 ms. */
const PATIENCE = 0.5

/** Two steps: an event loop that was busy is likely to be so again, but it may have been a pause. */
const REST = 4

/**
 * The E-step, the M-step and scoring on threads of their own with shared memory, so that the calling thread stays free and
 * several cores are used. A batch is split into as many equal parts of consecutive rows, whose statistics are added in the order of
 * the parts: the result depends on the number of threads (in the last bits), never on timing. The M-step is split by components, and
 * scoring by events, with the same bits as on one thread. One piece of work is done at a time, in the order asked for. What a caller has
 * in shared memory (parameters as `sharedParameters` lays them) is not copied. The calling thread does the first part, slice
 * by slice, as long as it has nothing else to do: to sleep and be woken takes longer, and a thread more might have to wait for a core.
 * @param threads at least 1
 */
export function modelThreads(threads: number, options: ModelThreadsOptions = {}): ModelThreads {
  if (!(Number.isInteger(threads) && threads >= 1))
    throw new RangeError(`threads: expected an integer of at least 1, got ${threads}. Use localEStep for none.`)
  const { kernel: choice = 'auto', kernelOptions = {}, worthwhile = WORTHWHILE, slice = SLICE } = options
  const { patience = PATIENCE, rest = REST } = options
  const crew = new Crew(threads, choice, kernelOptions, { patience, rest })
  const desk = new Desk(crew)
  const kernel = createKernel(choice, kernelOptions)
  const modelOf = cachedModel(kernel)
  const doPart = partsOf(threads, kernel)
  const here = { eStep: localEStep(kernel), mStep: localMStep(kernel) }
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }
  /** @param cost of an event, or of a component in the M-step */
  const share = (cost: number, work: Omit<Work, 'slice'>, views: SharedViews): Promise<void> => {
    const unit = work.operation === Operation.maximise ? 1 : BLOCK
    const units = Math.min(Math.floor(slice / (unit * cost)), MOST_UNITS)
    const sliced = { ...work, slice: unit * Math.max(1, units) }
    const helps = threads > 1 && units > 0
    return crew.work(sliced, helps ? doPart(0, sliced, desk.memory, views) : undefined)
  }
  return {
    kernel,

    eStep: (snapshot, block, weights, into) => {
      const { specification, mixture } = modelOf(snapshot.specification)
      const cost = eventCost(specification)
      if (cost * block.rows < worthwhile) return here.eStep(snapshot, block, weights, into)
      return inTurn(async () => {
        const shared = desk.lay(snapshot, block)
        if (!crew.lend(Role.weights, weights)) shared.weights.set(weights)
        const statistics = crew.lend(Role.statistics, into) ? into! : shared.statistics
        const { rows, columns, values } = block
        const views = { ...shared, parameters: snapshot.parameters, values, weights, statistics }
        await share(cost, { operation: Operation.expectation, rows, columns }, views)
        const sums = addParts(views)
        if (statistics === into) return { ...sums, statistics }
        const own = into ?? empty(mixture)
        own.set(statistics)
        return { ...sums, statistics: own }
      })
    },

    mStep: (previous, statistics, prior, into) => {
      const { specification } = modelOf(previous.specification)
      const cost = componentCost(specification)
      if (cost * specification.components < worthwhile) return here.mStep(previous, statistics, prior, into)
      return inTurn(async () => {
        const shared = desk.lay(previous)
        if (!crew.lend(Role.statistics, statistics)) shared.statistics.set(statistics)
        const isLent = into !== undefined && crew.lend(Role.estimates, beginningOf(into))
        const estimates = isLent ? into : shared.estimates
        const { weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor } = prior
        shared.prior.set([weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor])
        const views = { ...shared, parameters: previous.parameters, statistics, estimates }
        await share(cost, { operation: Operation.maximise, rows: 0, columns: 0 }, views)
        const estimated = estimatesAmong(previous.parameters)
        if (into === undefined) return { ...previous.parameters, ...copies(estimated, estimates) }
        for (const [name, array] of Object.entries(into))
          if (!estimated.includes(name)) array.set(previous.parameters[name]!)
          else if (!isLent) array.set(estimates[name]!)
        return renewed(into)
      })
    },

    score: async (snapshot, block, { posterior, logDensity }) => {
      const model = modelOf(snapshot.specification)
      // Half an E-step.
      const cost = eventCost(model.specification) / 2
      if (cost * block.rows < worthwhile) {
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

/** About the multiplications of a component's M-step that can be split by components; 0 for what is quick or cannot be split. */
function componentCost({ features, covariance, family }: ModelSpecification): number {
  const split = family === 'gaussian' && covariance === 'full' && features.every(({ type }) => type === 'number')
  return split ? features.length ** 3 : 0
}

function copies(names: readonly string[], from: Parameters): Parameters {
  return Object.fromEntries(names.map(name => [name, new Float64Array(from[name]!)]))
}

/** Adds the other threads' parts to the first one's, in the order of the threads. @param views their `statistics` are written to */
function addParts({ statistics, sums, totals }: SharedViews): Omit<Expectation, 'statistics'> {
  for (const part of sums) merge(statistics, part)
  let [logLikelihood, weight] = [0, 0]
  for (const total of totals) {
    logLikelihood += total[0]!
    weight += total[1]!
  }
  return { logLikelihood, weight }
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
      parameters: layoutOf(parameters),
    }
    this.#crew.takeBack()
    let views = this.#views
    if (views === undefined || this.#memory!.specification !== specification || !same(this.#memory!.layout, wanted)) {
      this.#memory = allocate(specification, wanted)
      this.#crew.send(this.#memory)
      this.#parameters = undefined
      views = this.#views = viewsOf(this.#memory)
    }
    const isLent = this.#crew.lend(Role.parameters, beginningOf(parameters))
    if (this.#parameters !== parameters) {
      if (!isLent) for (const [name, array] of Object.entries(parameters)) views.parameters[name]!.set(array)
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
