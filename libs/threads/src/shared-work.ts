import type { KernelChoice, KernelOptions, Parameters, Statistics } from '@eddy/mixture'
import { lined, type ParametersLayout } from './shared-parameters.ts'

/** What a thread is born with. */
export interface ThreadOptions {
  readonly index: number
  readonly threads: number
  readonly kernel: KernelChoice
  readonly kernelOptions: KernelOptions
  /** the words of `Word`, of all threads */
  readonly words: SharedArrayBuffer
}

/** Places among the words (Int32) by which threads are told what to do. */
export const Word = {
  /** 1 while the calling thread looks for the end of the work: then it need not be told */
  watched: 0,
  /** threads still at work */
  left: 1,
  /** threads whose part has failed */
  failed: 2,
  /** see `Operation` */
  operation: 3,
  /** events of the batch */
  rows: 4,
  /** of an event */
  columns: 5,
  /** changes with the parameters: what a kernel remembers of them is void */
  version: 6,
  /** events, or components of an M-step, of a slice */
  slice: 7,
  /** slices of the first part that the calling thread has done */
  done: 8,
  /** from here on, for each `Role`: the number of the caller's buffer, 0 for none, and where in it the array begins, in doubles */
  lent: 10,
} as const

const WORDS = 32

/** A thread's word that changes when there is something for it to do: one that has nothing to do waits for it. */
export const generationOf = (index: number): number => WORDS + index

export const wordsOf = (threads: number): number => WORDS + threads

/** What the caller may have in shared memory of its own; parameters and estimates lie as `parametersIn` has them. */
export const Role = {
  values: 0,
  weights: 1,
  posterior: 2,
  logDensity: 3,
  statistics: 4,
  parameters: 5,
  estimates: 6,
} as const
export type Role = (typeof Role)[keyof typeof Role]

/** Shared memory of the caller's own, by the number it is called. */
export interface LentBuffer {
  readonly number: number
  readonly buffer: SharedArrayBuffer
}

/** Buffers that are remembered: a caller has one for each of its arrays, and uses it again. */
export const LENT_BUFFERS = 16

export const Operation = { expectation: 0, score: 1, maximise: 2 } as const
export type Operation = (typeof Operation)[keyof typeof Operation]

/** Shared memory for one specification; the threads are sent it before the first work in it. */
export interface SharedMemory {
  readonly specification: string
  readonly layout: SharedLayout
  readonly buffer: SharedArrayBuffer
}

export interface SharedLayout {
  readonly threads: number
  /** events there is room for */
  readonly rows: number
  /** d */
  readonly columns: number
  /** K */
  readonly components: number
  readonly statisticsLength: number
  readonly parameters: ParametersLayout
}

export interface SharedViews {
  /** of the snapshot */
  readonly parameters: Parameters
  /** the M-step's, in the rows of the components */
  readonly estimates: Parameters
  /** the E-step's result, the M-step's argument */
  readonly statistics: Statistics
  /** the four numbers of a `Prior`, in its order */
  readonly prior: Float64Array
  /** (rows, d), user's units */
  readonly values: Float64Array
  /** (rows) */
  readonly weights: Float64Array
  /** (rows, K) */
  readonly posterior: Float64Array
  /** (rows) */
  readonly logDensity: Float64Array
  /** each thread's part of the E-step, but for the first one's, which is `statistics` */
  readonly sums: readonly Statistics[]
  /** each thread's Σ w log p(x) and Σ w */
  readonly totals: readonly Float64Array[]
}

/** Views of memory laid out one after another. @param buffer undefined for the length alone */
function place(layout: SharedLayout, buffer: SharedArrayBuffer | undefined): { views: SharedViews; bytes: number } {
  const { threads, rows, columns, components, statisticsLength } = layout
  let top = 0
  const next = (length: number): Float64Array => {
    const view = buffer === undefined ? new Float64Array() : new Float64Array(buffer, top, length)
    top += 8 * lined(length)
    return view
  }
  const arrays = () => Object.fromEntries(layout.parameters.map(([name, length]) => [name, next(length)]))
  const each = (count: number, length: number) => Array.from({ length: count }, () => next(length))
  const views = {
    parameters: arrays(),
    estimates: arrays(),
    statistics: next(statisticsLength),
    prior: next(4),
    values: next(rows * columns),
    weights: next(rows),
    posterior: next(rows * components),
    logDensity: next(rows),
    sums: each(threads - 1, statisticsLength),
    totals: each(threads, 2),
  }
  return { views, bytes: top }
}

export const viewsOf = ({ layout, buffer }: SharedMemory): SharedViews => place(layout, buffer).views

export const allocate = (specification: string, layout: SharedLayout): SharedMemory => ({
  specification,
  layout,
  buffer: new SharedArrayBuffer(place(layout, undefined).bytes),
})

/** Events are split at multiples of what the compiled kernel takes at once. */
export const BLOCK = 64

/** [from, to) of a batch's events, or of the components. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** A thread's events of a batch, by the numbers alone. */
export const rowsOfThread = (rows: number, index: number, threads: number) => partOf(rows, BLOCK, index, threads)

/** A thread's components. */
export const componentsOfThread = (components: number, index: number, threads: number) =>
  partOf(components, 1, index, threads)

function partOf(count: number, unit: number, index: number, threads: number): Range {
  const units = Math.ceil(count / unit)
  const edge = (i: number) => Math.min(count, unit * Math.floor((units * i) / threads))
  return { from: edge(index), to: edge(index + 1) }
}

/** The arrays with a row a component that an M-step writes. */
const ESTIMATES = [
  'weights',
  'means',
  'covariances',
  'precisionsCholesky',
  'logDeterminants',
  'loadings',
  'noiseVariances',
]

export const estimatesAmong = (parameters: Parameters): string[] => ESTIMATES.filter(name => name in parameters)

/** What a thread says when all have done their part; one whose part failed says why before. */
export type ThreadMessage = 'done' | Error
