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

export interface KernelOptions {
  /**
   * A component whose weighted density is at most this share of an event's largest counts as 0 in that event: its density need
   * not be worked out to the end, and it adds nothing to the statistics. A sum's rounding is larger than what is lost; the error of
   * a component's statistics is below this over its share of all weight. Default 1e-17; 0 to leave nothing out.
   */
  readonly negligible?: number
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

const NEGLIGIBLE = 1e-17

let choice: KernelChoice = 'auto'
let cut = Math.log(NEGLIGIBLE)
let loaded: { readonly exports: KernelExports | undefined; readonly info: KernelInfo } | undefined

/**
 * Chooses the implementation for all mixtures of this thread, from the next call on; every thread selects its own.
 * @throws {KernelError} if the compiled kernel is demanded and does not run here
 */
export function selectKernel(next: KernelChoice, options: KernelOptions = {}): void {
  const { implementation, detail } = kernelInfo(next)
  if (demandsCompiledKernel(next) && implementation !== 'webassembly')
    throw new KernelError(`kernel: expected webassembly, got ${detail}; choose auto or typescript`)
  choice = next
  cut = Math.max(-708, Math.log(options.negligible ?? NEGLIGIBLE))
}

/** log of `negligible`, at least −708 (where exp underflows), nats. */
export const negligibleCut = (): number => cut

/** Whether f32 is wanted for scoring. */
export const singlePrecision = (): boolean => choice === 'webassembly-f32'

/** Which implementation runs under a choice (by default the one made), and why. */
export function kernelInfo(of: KernelChoice = choice): KernelInfo {
  if (of === 'typescript') return { implementation: 'typescript', detail: 'chosen by option' }
  loaded ??= load()
  const { implementation, detail } = loaded.info
  return of === 'webassembly-f32' && implementation === 'webassembly'
    ? { implementation, detail: `${detail}, scoring of full covariances in f32` }
    : loaded.info
}

/** The compiled kernel of this thread, or undefined where the reference is to run. */
export function kernelExports(): KernelExports | undefined {
  if (choice === 'typescript') return undefined
  loaded ??= load()
  return loaded.exports
}

function load(): { exports: KernelExports | undefined; info: KernelInfo } {
  const reference = (detail: string) => ({
    exports: undefined,
    info: { implementation: 'typescript', detail } as const,
  })
  const api = (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly
  if (api === undefined) return reference('no WebAssembly here')
  const bytes = Uint8Array.from(atob(kernelBinary.replaceAll('\n', '')), character => character.charCodeAt(0))
  if (!api.validate(bytes)) return reference('no WebAssembly SIMD here')
  const exports = new api.Instance(new api.Module(bytes)).exports as KernelExports
  return { exports, info: { implementation: 'webassembly', detail: `SIMD f64, ${bytes.length} bytes` } }
}
