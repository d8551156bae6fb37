import { kernelBinary } from './kernel.generated.ts'

/** What runs the E-step and the M-step's matrices: for `eddy doctor`. */
export interface KernelInfo {
  /** `webassembly`: 128-bit SIMD; `typescript`: the scalar reference */
  readonly implementation: 'webassembly' | 'typescript'
  /** why it is the reference, or the size of the compiled kernel */
  readonly detail: string
}

/**
 * `auto`: the compiled kernel where this machine runs it; `webassembly`: that or an error; `typescript`: always the reference;
 * `webassembly-f32`: as `webassembly`, but full covariances are scored in f32 where that is safe, see `leastSingleDensity`.
 */
export const KERNEL_CHOICES = ['auto', 'webassembly', 'typescript', 'webassembly-f32'] as const
export type KernelChoice = (typeof KERNEL_CHOICES)[number]

/** Whether a choice takes the compiled kernel or an error, and never the reference. */
export const demandsCompiledKernel = (of: KernelChoice): boolean => of.startsWith('webassembly')

/** The chosen implementation does not run here. */
export class KernelError extends Error {
  override readonly name = 'KernelError'
}

interface Cell {
  readonly value: number
}

/** Exports of assembly/index.ts. Cells are addresses in bytes, all multiples of 16, or lengths. */
export interface KernelExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  configure(
    covariance: number,
    components: number,
    columns: number,
    rows: number,
    levelColumns: number,
    levels: number,
  ): void
  prepare(): void
  expectation(rows: number, weighted: number, cut: number, levelColumns: number): number
  observe(rows: number): number
  score(rows: number, cut: number, levelColumns: number, least: number): number
  densitiesOf(rows: number): number
  maximise(kappa: number, nu: number, floor: number, first: number, end: number): number
  readonly activeCount: Cell
  readonly codes: Cell
  readonly constants: Cell
  readonly covariances: Cell
  readonly estimatedMeans: Cell
  readonly factors: Cell
  readonly levelSums: Cell
  readonly levelTable: Cell
  readonly logDensity: Cell
  readonly logDeterminants: Cell
  readonly logWeights: Cell
  readonly means: Cell
  readonly posterior: Cell
  readonly reference: Cell
  readonly settled: Cell
  readonly statistics: Cell
  readonly statisticsLength: Cell
  readonly values: Cell
  readonly weights: Cell
}

/** The part of the WebAssembly JavaScript interface that is used, which TypeScript declares for browsers only. */
interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean
  Module: new (bytes: Uint8Array) => object
  Instance: new (module: object, imports?: object) => { readonly exports: unknown }
}

/** Which implementation runs here under a choice, and why. */
export function kernelInfo(choice: KernelChoice = 'auto'): KernelInfo {
  if (choice === 'typescript') return { implementation: 'typescript', detail: 'chosen by option' }
  const { bytes, obstacle } = compiledHere()
  if (bytes === undefined) return { implementation: 'typescript', detail: obstacle }
  const detail = `SIMD f64, ${bytes} bytes${choice === 'webassembly-f32' ? ', scoring of full covariances in f32' : ''}`
  return { implementation: 'webassembly', detail }
}

/**
 * A new instance of the compiled kernel, with memory of its own; undefined where the reference is to run.
 * @throws {KernelError} if the compiled kernel is demanded and does not run here
 */
export function instantiate(choice: KernelChoice): KernelExports | undefined {
  if (choice === 'typescript') return undefined
  const { instantiate, obstacle } = compiledHere()
  if (instantiate === undefined && demandsCompiledKernel(choice))
    throw new KernelError(`kernel: expected webassembly, got ${obstacle}; choose auto or typescript`)
  return instantiate?.()
}

type Compiled =
  | { readonly bytes: number; readonly instantiate: () => KernelExports; readonly obstacle?: undefined }
  | { readonly bytes?: undefined; readonly instantiate?: undefined; readonly obstacle: string }

/** Compiled once a thread: the code is the same for all instances. */
let compiled: Compiled | undefined

function compiledHere(): Compiled {
  compiled ??= compile()
  return compiled
}

function compile(): Compiled {
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly
  if (api === undefined) return { obstacle: 'no WebAssembly here' }
  const bytes = Uint8Array.from(atob(kernelBinary.replaceAll('\n', '')), character => character.charCodeAt(0))
  if (!api.validate(bytes)) return { obstacle: 'no WebAssembly SIMD here' }
  const module = new api.Module(bytes)
  return { bytes: bytes.length, instantiate: () => new api.Instance(module).exports as KernelExports }
}
