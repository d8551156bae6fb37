// A thread of `ModelThreads`: does its part of each piece of work, with a kernel of its own, and waits for the next.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { cachedModel, type Prior, selectKernel } from '@eddy/mixture'
import {
  componentsOfThread,
  estimatesAmong,
  LENT_BUFFERS,
  type LentBuffer,
  Operation,
  Role,
  renewed,
  rowsOfThread,
  type SharedMemory,
  type SharedViews,
  type ThreadMessage,
  type ThreadOptions,
  viewsOf,
  Word,
} from './shared-work.ts'

const { index, threads, kernel, kernelOptions, words: shared } = workerData as ThreadOptions
const words = new Int32Array(shared)
const port = parentPort!
const modelOf = cachedModel()
selectKernel(kernel, kernelOptions)

/** While work follows on work this closely, in ms, a thread looks for it instead of going to sleep: to be woken takes about 0.1 ms. */
const SPIN = 0.5

const lent = new Map<number, SharedArrayBuffer>()
let memory: SharedMemory | undefined
let views: SharedViews | undefined
let version: number | undefined
let pauseWasShort = true
/** Who ends last goes to sleep at once and leaves its core to the main thread, which it has just woken. */
let wasLast = false

/** Waits until the generation is another. */
function awaitWork(seen: number): number {
  const began = performance.now()
  if (pauseWasShort && !wasLast)
    while (Atomics.load(words, Word.generation) === seen && performance.now() - began < SPIN);
  Atomics.wait(words, Word.generation, seen)
  pauseWasShort = performance.now() - began < SPIN
  return Atomics.load(words, Word.generation)
}

/** The shared memory of this work. */
function currentViews(): SharedViews {
  for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port)) {
    const message = received.message as SharedMemory | LentBuffer
    if ('number' in message) {
      lent.set(message.number, message.buffer)
      lent.delete(message.number - LENT_BUFFERS)
    } else {
      memory = message
      views = undefined
    }
  }
  const current = Atomics.load(words, Word.version)
  if (views === undefined) views = viewsOf(memory!)
  else if (version !== current) views = { ...views, parameters: renewed(views.parameters) }
  version = current
  return views
}

/** An array of a batch where the caller has it, else ours. */
function placeOf(role: Role, ours: Float64Array): Float64Array {
  const at = Word.lent + 2 * role
  const buffer = lent.get(words[at]!)
  return buffer === undefined ? ours : new Float64Array(buffer, 8 * words[at + 1]!)
}

function expectation(views: SharedViews, rows: number, columns: number): void {
  const { parameters, sums, totals } = views
  const values = placeOf(Role.values, views.values)
  const weights = placeOf(Role.weights, views.weights)
  const { from, to } = rowsOfThread(rows, index, threads)
  if (from === to) return
  const block = { rows: to - from, columns, values: values.subarray(from * columns, to * columns) }
  const sum = sums[index]!.fill(0)
  const { logLikelihood, weight } = modelOf(memory!.specification).expectation(
    parameters,
    block,
    weights.subarray(from, to),
    sum,
  )
  totals[index]!.set([logLikelihood, weight])
}

function score(views: SharedViews, rows: number, columns: number): void {
  const { parameters } = views
  const values = placeOf(Role.values, views.values)
  const posterior = placeOf(Role.posterior, views.posterior)
  const logDensity = placeOf(Role.logDensity, views.logDensity)
  const { from, to } = rowsOfThread(rows, index, threads)
  if (from === to) return
  const { components } = memory!.layout
  const block = { rows: to - from, columns, values: values.subarray(from * columns, to * columns) }
  const posteriors = posterior.subarray(from * components, to * components)
  modelOf(memory!.specification).score(parameters, block, posteriors, logDensity.subarray(from, to))
}

function maximise({ parameters, estimates, statistics, prior }: SharedViews): void {
  const { components } = memory!.layout
  const only = componentsOfThread(components, index, threads)
  if (only.from === only.to) return
  const [weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor] = prior
  const numbers = { weightPseudoEvents, meanPseudoEvents, covariancePseudoEvents, varianceFloor } as Prior
  const { mixture } = modelOf(memory!.specification)
  const estimated = mixture.maximise(statistics, numbers, parameters, only)
  for (const name of estimatesAmong(parameters)) {
    const size = parameters[name]!.length / components
    estimates[name]!.set(estimated[name]!.subarray(only.from * size, only.to * size), only.from * size)
  }
}

for (let seen = 0; ; ) {
  seen = awaitWork(seen)
  try {
    const shared = currentViews()
    const [rows, columns] = [words[Word.rows]!, words[Word.columns]!]
    switch (words[Word.operation]) {
      case Operation.expectation:
        expectation(shared, rows, columns)
        break
      case Operation.score:
        score(shared, rows, columns)
        break
      case Operation.maximise:
        maximise(shared)
    }
  } catch (error) {
    Atomics.add(words, Word.failed, 1)
    port.postMessage(error satisfies unknown as ThreadMessage)
  }
  wasLast = Atomics.sub(words, Word.left, 1) === 1
  if (wasLast) port.postMessage('done' satisfies ThreadMessage)
}
