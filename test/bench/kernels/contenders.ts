import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type Block,
  createKernel,
  DEFAULT_PRIOR,
  empty,
  gaussian,
  type KernelChoice,
  mixture,
  type Parameters,
  type StepwiseState,
  scale,
  stepwiseUpdate,
} from '@eddy/mixture'
import { type LineProcess, startLineProcess } from './line-process.ts'
import type { Shape } from './shapes.ts'

export type Step = 'em' | 'score'

/** Something that takes EM steps and scores events of one shape. */
export interface Contender {
  /** e.g. versions and the BLAS kernel, as it reports itself */
  readonly description: string
  /**
   * Repeats a step over batches of the events for about `seconds`.
   * @returns events per second of processor time of the whole process, which other programs on the machine do not shorten
   */
  run(step: Step, batch: number, seconds: number): Promise<number>
  close(): void
}

/** All of one thread. */
export const ONE_THREAD: NodeJS.ProcessEnv = {
  ...process.env,
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  MKL_NUM_THREADS: '1',
  // The library's own choice of kernel for this machine.
  OPENBLAS_CORETYPE: undefined,
  OPENBLAS_L2_SIZE: undefined,
}

/**
 * Eddy in this process. An EM step is what the service does for a batch: E-step, statistics, blend, M-step.
 * @param negligible see KernelOptions; 0 is the `dense` variant
 */
export function eddy(
  shape: Shape,
  parameters: Parameters,
  block: Block,
  choice: KernelChoice,
  negligible: number,
): Contender {
  const { components, columns, covariance } = shape
  const kernel = createKernel(choice, { negligible })
  const model = kernel.accelerate(mixture(gaussian({ components, columns, covariance })))
  const start = empty(model)
  const first = model.expectation(parameters, block, undefined, start)
  const settings = { prior: DEFAULT_PRIOR, stepSize: { exponent: 0.8, offset: 4 } }
  let state: StepwiseState = {
    parameters,
    statistics: scale(start, 1 / first.weight),
    step: 1000,
    weight: 1000 * block.rows,
    effectiveSampleSize: block.rows,
  }
  const statistics = empty(model)
  const em = (batch: Block): void => {
    statistics.fill(0)
    const { weight } = model.expectation(state.parameters, batch, undefined, statistics)
    state = stepwiseUpdate(model, settings, state, statistics, weight)
  }
  return {
    description: choice,
    async run(step, batch, seconds) {
      const posterior = new Float64Array(batch * components)
      const logDensity = new Float64Array(batch)
      const whole = Math.floor(block.rows / batch) * batch
      const from = performance.now()
      const cpu = process.cpuUsage()
      let events = 0
      do {
        const at = events % whole
        const values = block.values.subarray(at * columns, (at + batch) * columns)
        const part = { rows: batch, columns, values }
        if (step === 'em') em(part)
        else model.score(parameters, part, posterior, logDensity)
        events += batch
      } while (performance.now() - from < 1000 * seconds)
      const { user, system } = process.cpuUsage(cpu)
      return (1e6 * events) / (user + system)
    },
    close: () => {},
  }
}

/** A contender that reads the events from a file: see limit.c and peer.py. */
async function child(command: string, args: readonly string[]): Promise<Contender> {
  const peer: LineProcess = await startLineProcess(command, args, ONE_THREAD)
  return {
    description: peer.greeting,
    run: async (step, batch, seconds) => Number.parseFloat(await peer.ask(`${step} ${batch} ${seconds}`)),
    close: peer.close,
  }
}

/** A peer of peer.py, by its name there. */
export const python = (executable: string, name: string, file: string, shape: Shape): Promise<Contender> =>
  child(executable, [
    join(import.meta.dirname, 'peer.py'),
    name,
    file,
    `${shape.components}`,
    `${shape.columns}`,
    shape.covariance,
  ])

/** The machine's limit, compiled for the shape; its description is `{"vectorBits": …}`. */
export function limit(directory: string, file: string, shape: Shape): Promise<Contender> {
  const executable = join(directory, `limit-${shape.name}`)
  const source = join(import.meta.dirname, 'limit.c')
  const sizes = [`-DK=${shape.components}`, `-DD=${shape.columns}`, `-DFULL=${shape.covariance === 'full' ? 1 : 0}`]
  execFileSync('cc', ['-O3', '-march=native', ...sizes, source, '-o', executable, '-lm'])
  return child(executable, [file])
}

/** The file that limit.c and peer.py read. */
export function writeEvents(directory: string, shape: Shape, parameters: Parameters, block: Block): string {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, `events-${shape.name}.f64`)
  const { weights, means, precisionsCholesky, logDeterminants, reference } = parameters
  const parts = [
    Float64Array.of(block.rows),
    weights!,
    means!,
    precisionsCholesky!,
    logDeterminants!,
    reference!,
    block.values,
  ]
  writeFileSync(file, Buffer.concat(parts.map(part => Buffer.from(part.buffer, part.byteOffset, part.byteLength))))
  return file
}
