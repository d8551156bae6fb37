import { workerData } from 'node:worker_threads'
import { gaussian, mixture, selectKernel } from '@eddy/mixture'
import { type SharedWork, STOP, sharedParameters } from './threads.ts'

// One of several E-step threads: waits for a generation, works on its share of the rows, says that it is done.
const { shape, batch, index, threads, negligible, control, events, parameters, statistics, posterior, logDensity } =
  workerData as SharedWork
const { components, columns, covariance } = shape
const model = mixture(gaussian({ components, columns, covariance }))
selectKernel('auto', { negligible })
const signals = new Int32Array(control)
const own = new Float64Array(statistics)
const from = Math.floor((batch * index) / threads)
const to = Math.floor((batch * (index + 1)) / threads)
const densities = new Float64Array(logDensity).subarray(from, to)
const posteriors = new Float64Array(posterior).subarray(from * components, to * components)

for (let seen = 0; ; ) {
  Atomics.wait(signals, 0, seen)
  seen = Atomics.load(signals, 0)
  const start = Atomics.load(signals, 2)
  if (start === STOP) break
  const rows = to - from
  const values = new Float64Array(events, (start + from) * columns * 8, rows * columns)
  const block = { rows, columns, values }
  const current = sharedParameters(shape, parameters)
  if (Atomics.load(signals, 3) === 0) {
    own.fill(0)
    model.expectation(current, block, undefined, own)
  } else model.score(current, block, posteriors, densities)
  if (Atomics.sub(signals, 1, 1) === 1) Atomics.notify(signals, 1)
}
