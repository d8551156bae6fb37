// A thread of `ModelThreads`: does its part of each piece of work, with a kernel of its own, and waits for the next.
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import { createKernel, type Parameters } from '@eddy/mixture'
import { partsOf } from './model-part.ts'
import { parametersIn, renewed } from './shared-parameters.ts'
import {
  generationOf,
  LENT_BUFFERS,
  type LentBuffer,
  type Operation,
  Role,
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
const generation = generationOf(index)
const doPart = partsOf(threads, createKernel(kernel, kernelOptions))

/** While work follows on work this closely, in ms, a thread looks for it instead of going to sleep: to be woken takes about 0.1 ms. */
const SPIN = 0.5

const lent = new Map<number, SharedArrayBuffer>()
let memory: SharedMemory | undefined
let views: SharedViews | undefined
/** The same arrays while the version is the same. */
let parameters: Parameters | undefined
let version: number | undefined
let pauseWasShort = true
/** Who has just woken the main thread goes to sleep at once and leaves its core to it. */
let hasWoken = false

/** Waits until the generation is another. */
function awaitWork(seen: number): number {
  const began = performance.now()
  if (pauseWasShort && !hasWoken) while (Atomics.load(words, generation) === seen && performance.now() - began < SPIN);
  // Woken is not told: who has seen the new generation before it was notified is woken from its next wait.
  while (Atomics.load(words, generation) === seen) Atomics.wait(words, generation, seen)
  pauseWasShort = performance.now() - began < SPIN
  return Atomics.load(words, generation)
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
      parameters = undefined
    }
  }
  const current = Atomics.load(words, Word.version)
  views ??= viewsOf(memory!)
  if (parameters === undefined || version !== current)
    parameters = renewed(parametersAt(Role.parameters, views.parameters))
  version = current
  return { ...views, parameters }
}

/** An array of the caller's. @param length undefined for up to the end of its memory */
function lentArray(role: Role, length?: number): Float64Array<SharedArrayBuffer> | undefined {
  const at = Word.lent + 2 * role
  const buffer = lent.get(words[at]!)
  return buffer && new Float64Array(buffer, 8 * words[at + 1]!, length)
}

function parametersAt(role: Role, ours: Parameters): Parameters {
  const first = lentArray(role)
  return first === undefined ? ours : parametersIn(memory!.layout.parameters, first.buffer, first.byteOffset)
}

/** With the arrays that lie where the caller has them. */
function withLent(views: SharedViews): SharedViews {
  return {
    ...views,
    values: lentArray(Role.values) ?? views.values,
    weights: lentArray(Role.weights) ?? views.weights,
    posterior: lentArray(Role.posterior) ?? views.posterior,
    logDensity: lentArray(Role.logDensity) ?? views.logDensity,
    statistics: lentArray(Role.statistics, memory!.layout.statisticsLength) ?? views.statistics,
    estimates: parametersAt(Role.estimates, views.estimates),
  }
}

for (let seen = 0; ; ) {
  seen = awaitWork(seen)
  try {
    const views = currentViews()
    const work = {
      operation: words[Word.operation] as Operation,
      rows: words[Word.rows]!,
      columns: words[Word.columns]!,
      slice: words[Word.slice]!,
    }
    const done = index === 0 ? words[Word.done]! : 0
    for (const _ of doPart(index, work, memory!, withLent(views), done));
  } catch (error) {
    Atomics.add(words, Word.failed, 1)
    port.postMessage(error satisfies unknown as ThreadMessage)
  }
  const isLast = Atomics.sub(words, Word.left, 1) === 1
  hasWoken = isLast && Atomics.exchange(words, Word.watched, 0) === 0
  if (hasWoken) port.postMessage('done' satisfies ThreadMessage)
}
