import type { Covariance, StartingJson, TransformName } from '@eddy/mixture'
import { Command, InvalidArgumentError, Option } from 'commander'
import { decimal, featureColumns, nameList, typeList, wholeNumber } from '../command-line/arguments.ts'
import { Progress } from '../command-line/progress.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import type { FeatureType } from '../input/feature-columns.ts'
import { collectFeatures } from '../input/read-features.ts'
import { readJson, storedJson, writeModel } from '../offline/model-file.ts'
import { segmentTable } from '../offline/segment-table.ts'
import { type Algorithm, algorithms, train } from '../offline/train.ts'
import { withExamples } from '../program.ts'
import { addInputOptions, type InputFlags, openFeatures } from './input-options.ts'

/** Flags that say what kind of model is fitted, and how: `fit` and `select` have them. */
export interface ModelFlags extends InputFlags {
  readonly features?: readonly string[]
  readonly types?: ReadonlyMap<string, FeatureType>
  readonly covariance: Covariance
  readonly factors?: number
  readonly algorithm: Algorithm
  readonly passes: number
  readonly batchSize: number
  readonly stepExponent: number
  readonly varianceFloor?: number
  readonly tolerance: number
  readonly maxIterations: number
  readonly seed: number
  /** false for --no-transform */
  readonly transform: boolean | ReadonlyMap<string, TransformName>
}

interface FitFlags extends ModelFlags {
  readonly components: number
  readonly init: string
  readonly out?: string
  readonly json?: boolean
}

export function addModelOptions(command: Command): Command {
  return addInputOptions(command)
    .option('--features <a,b,c>', 'columns to learn from (all but customer, time and weight if absent)', nameList)
    .option('--types <a=number,b=count>', 'number (default), count, category or boolean', typeList)
    .addOption(
      new Option('--covariance <form>', 'of the numbers')
        .choices(['full', 'tied', 'diag', 'spherical', 'factor'])
        .default('full'),
    )
    .option('--factors <q>', 'rank of a factor covariance', wholeNumber(1))
    .addOption(new Option('--algorithm <name>').choices([...algorithms]).default('batch'))
    .option('--passes <n>', 'stepwise: times over the data', wholeNumber(1), 1)
    .option('--batch-size <m>', 'stepwise: events a step', wholeNumber(1), 512)
    .option(
      '--step-exponent <alpha>',
      'stepwise: α of the step size (t + t0)^−α, in (0.5, 1]',
      decimal('(0.5, 1]'),
      0.8,
    )
    .option('--variance-floor <f>', "least variance, as a share of the feature's overall variance", decimal('[0, 1]'))
    .option(
      '--tolerance <t>',
      'stop when the mean log-likelihood changes by less, nats',
      decimal('[0, Infinity)'),
      1e-3,
    )
    .option('--max-iterations <n>', 'batch, hard, kmeans: most iterations', wholeNumber(1), 100)
    .option('--seed <s>', 'of all randomness', wholeNumber(0), 1)
    .option('--transform <a=log1p,b=yeo-johnson>', 'bend features before they are centred and scaled', transformList)
    .option('--no-transform', 'leave features as they are: not even centred and scaled')
}

/** Parser of `a=log1p,b=yeo-johnson`. */
function transformList(text: string): ReadonlyMap<string, TransformName> {
  const names = ['none', 'log1p', 'yeo-johnson']
  return new Map(
    nameList(text).map(pair => {
      const [name, transform, ...more] = pair.split('=')
      if (!name || more.length > 0 || !names.includes(transform ?? '')) {
        throw new InvalidArgumentError(`Expected name=transform with one of ${names.join(', ')}, got "${pair}".`)
      }
      return [name, transform as TransformName]
    }),
  )
}

/** What `train` takes of the flags. */
export function trainingOptions(flags: ModelFlags) {
  const { transform } = flags
  return {
    covariance: flags.covariance,
    factors: flags.factors,
    algorithm: flags.algorithm,
    passes: flags.passes,
    batchSize: flags.batchSize,
    stepExponent: flags.stepExponent,
    varianceFloor: flags.varianceFloor,
    tolerance: flags.tolerance,
    maxIterations: flags.maxIterations,
    seed: flags.seed,
    standardise: transform !== false,
    transforms: typeof transform === 'object' ? transform : undefined,
  }
}

/** `eddy fit`: a model of a file. */
export function fitCommand(terminal: Terminal = processTerminal): Command {
  const command = addModelOptions(new Command('fit').description('fit a mixture model to a file'))
    .requiredOption('--components <k>', 'number of segments', wholeNumber(1, 1024))
    .option(
      '--init <how>',
      'kmeans++ (the best of several short runs), or a JSON file with weights_, means_, covariances_',
      'kmeans++',
    )
    .option('--out <model.json>', 'write the model to a file')
    .option('--json', 'print the model as JSON')
    .action((flags: FitFlags) => fit(terminal, flags))
  return withExamples(command, [
    [
      'eddy fit --input customers.csv --features recency,frequency,spend --components 5 --out model.json',
      'five segments of customers',
    ],
    ['zcat events.ndjson.gz | eddy fit --input - --components 8 --algorithm stepwise --json', 'one pass over a stream'],
    ['eddy fit --input shop.csv --types visits=count,country=category --components 4 --out model.json', 'mixed types'],
  ])
}

async function fit(terminal: Terminal, flags: FitFlags): Promise<void> {
  const start = flags.init === 'kmeans++' ? undefined : ((await readJson(flags.init)) as StartingJson)
  const matrix = await collectFeatures(await openFeatures(terminal, flags, featureColumns(flags.features, flags.types)))
  const progress = new Progress(terminal, 'Fitting', 1)
  const model = train(matrix, {
    ...trainingOptions(flags),
    components: flags.components,
    start,
    onProgress: share => progress.update(share),
  })
  progress.stop()
  const stored = { model, columns: matrix.columns }
  if (!model.converged) {
    note(terminal, `eddy: not converged after ${model.iterations} iterations: raise --max-iterations or --tolerance.`)
  }
  if (flags.out !== undefined) {
    await writeModel(flags.out, stored)
    note(terminal, `eddy: wrote ${flags.out}. Score with: eddy score --model ${flags.out} --input FILE`)
  }
  if (flags.json) await print(terminal, JSON.stringify(storedJson(stored)) + '\n')
  else await print(terminal, segmentTable(stored, matrix.rows))
}
