import { gaussian, mixture } from '@eddy/mixture'
import { type Contender, eddy, limit, python, type Step, writeEvents } from './contenders.ts'
import { type Shape, sampleEvents, trueParameters } from './shapes.ts'
import { median, spread } from './statistics.ts'

/** One line of the result, in the form that `--json` writes. */
export interface KernelResult {
  readonly shape: string
  readonly step: Step
  /** `f32`: as `skip`, scored in f32 */
  readonly variant: 'dense' | 'skip' | 'f32'
  readonly batch: number
  readonly eventsPerSecond: number
  readonly ratioToSklearn: number
  /** to limit.c, which has no M-step; null where no C compiler was found */
  readonly ratioToC: number | null
  /** components an event whose responsibility exceeds 1e-17 */
  readonly activeComponents: number
}

/** What was measured besides: for the table, not for the JSON. */
export interface Measurement {
  readonly results: readonly KernelResult[]
  /** events per second of the others, by contender, shape, step and batch */
  readonly others: readonly { contender: string; shape: string; step: Step; batch: number; eventsPerSecond: number }[]
  readonly descriptions: Readonly<Record<string, string>>
  /** largest interquartile range of any contender as a share of its median */
  readonly worstSpread: number
}

export interface MeasureOptions {
  readonly shapes: readonly Shape[]
  readonly batches: readonly number[]
  readonly rounds: number
  /** each contender's turn in a round */
  readonly seconds: number
  readonly python: string
  readonly directory: string
  /** more peers of peer.py */
  readonly extra: readonly string[]
}

/** Turns of all contenders one after the other, round by round, so that a slow spell of the machine hits them alike. */
export async function measure(options: MeasureOptions): Promise<Measurement> {
  const { directory } = options
  const results: KernelResult[] = []
  const others: Measurement['others'][number][] = []
  const descriptions: Record<string, string> = {}
  let worstSpread = 0
  for (const shape of options.shapes) {
    const parameters = trueParameters(shape, 1)
    const { block } = sampleEvents(shape, parameters, 16 * 1024, 2)
    const file = writeEvents(directory, shape, parameters, block)
    const contenders: Record<string, Contender> = {
      dense: eddy(shape, parameters, block, 'auto', 0),
      skip: eddy(shape, parameters, block, 'auto', 1e-17),
      f32: eddy(shape, parameters, block, 'webassembly-f32', 1e-17),
      typescript: eddy(shape, parameters, block, 'typescript', 0),
      'scikit-learn': await python(options.python, 'scikit-learn', file, shape),
    }
    for (const name of options.extra) contenders[name] = await python(options.python, name, file, shape)
    try {
      contenders.C = await limit(directory, file, shape)
    } catch (error) {
      console.error(`The limit in C is left out: ${(error as Error).message}`)
    }
    for (const [name, { description }] of Object.entries(contenders)) descriptions[name] = description
    const activeComponents = countActive(shape, parameters, block)
    for (const batch of options.batches)
      for (const step of ['em', 'score'] as const) {
        const rounded = step === 'score' && shape.covariance === 'full'
        const variants = rounded ? (['dense', 'skip', 'f32'] as const) : (['dense', 'skip'] as const)
        const { f32: _, ...inDoubles } = contenders
        const rates = await rounds(rounded ? contenders : inDoubles, step, batch, options.rounds, options.seconds)
        const middle = (name: string) => median(rates[name]!)
        for (const values of Object.values(rates)) worstSpread = Math.max(worstSpread, spread(values))
        for (const variant of variants)
          results.push({
            shape: shape.name,
            step,
            variant,
            batch,
            eventsPerSecond: Math.round(middle(variant)),
            ratioToSklearn: round(middle(variant) / middle('scikit-learn')),
            ratioToC: 'C' in rates ? round(middle(variant) / middle('C')) : null,
            activeComponents: round(activeComponents),
          })
        for (const contender of Object.keys(rates))
          if (!variants.some(variant => variant === contender))
            others.push({ contender, shape: shape.name, step, batch, eventsPerSecond: Math.round(middle(contender)) })
        console.error(
          `${shape.name} ${step} ${batch}: ${Object.keys(rates)
            .map(name => `${name} ${(middle(name) / 1000).toFixed(0)}k/s`)
            .join(', ')}`,
        )
      }
    for (const contender of Object.values(contenders)) contender.close()
  }
  return { results, others, descriptions, worstSpread }
}

const round = (value: number): number => Number(value.toPrecision(4))

async function rounds(
  contenders: Record<string, Contender>,
  step: Step,
  batch: number,
  count: number,
  seconds: number,
): Promise<Record<string, number[]>> {
  const rates: Record<string, number[]> = {}
  for (const name of Object.keys(contenders)) {
    rates[name] = []
    await contenders[name]!.run(step, batch, seconds / 2) // warm caches and compilers
  }
  for (let i = 0; i < count; i++)
    for (const [name, contender] of Object.entries(contenders))
      rates[name]!.push(await contender.run(step, batch, seconds))
  return rates
}

function countActive(
  shape: Shape,
  parameters: ReturnType<typeof trueParameters>,
  block: { rows: number; columns: number; values: Float64Array },
): number {
  const { components, columns, covariance } = shape
  const posterior = new Float64Array(block.rows * components)
  mixture(gaussian({ components, columns, covariance })).score(
    parameters,
    block,
    posterior,
    new Float64Array(block.rows),
  )
  return posterior.reduce((count, value) => count + (value > 1e-17 ? 1 : 0), 0) / block.rows
}
