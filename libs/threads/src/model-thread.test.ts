import { once } from 'node:events'
import { setImmediate } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { generationOf, type ThreadOptions, Word, wordsOf } from './shared-work.ts'

it('does no work when it is woken and there is none', async () => {
  const words = new Int32Array(new SharedArrayBuffer(4 * wordsOf(1)))
  const workerData: ThreadOptions = { index: 0, threads: 1, kernel: 'auto', kernelOptions: {}, words: words.buffer }
  const worker = new Worker(new URL('./model-thread.ts', import.meta.url), { workerData })
  await once(worker, 'online')
  const wake = async () => {
    while (Atomics.notify(words, generationOf(0)) === 0) await setImmediate()
  }
  words[Word.left] = 7
  await wake()
  await wake()
  expect(words[Word.left]).toBe(7)
  await worker.terminate()
})
