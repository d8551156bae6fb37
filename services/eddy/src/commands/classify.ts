import {
  type Block,
  type ClassDensity,
  type Costs,
  costKey,
  createKernel,
  type Decision,
  decide,
  histogramDensity,
  type Model,
  modelDensity,
  scottBins,
  sharedCovariance,
  treated,
} from '@eddy/mixture'
import { classifierColumns, ModelError, readClassifier, type StoredClassifier, writeClassifier } from '@eddy/model'
import { collectFeatures, type FeatureColumn, type FeatureMatrix, type FeatureRows, InputError } from '@eddy/records'
import { counted } from '@eddy/runtime'
import { Command, InvalidArgumentError } from 'commander'
import { decimal, nameList, wholeNumber } from '../command-line/arguments.ts'
import { UsageError } from '../command-line/exit-code.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { byClass } from '../offline/by-class.ts'
import { ReportBuilder, readableReports } from '../offline/classification-report.ts'
import { smoothed } from '../offline/smoothed.ts'
import { orModelError, specificationOf, trainOn } from '../offline/train.ts'
import { withExamples } from '../program.ts'
import { openFeatures } from './input-options.ts'
import { keptValues } from './kept-values.ts'
import { addModelOptions, type ModelFlags, openModelFeatures, trainingOptions } from './model-options.ts'

interface ClassifyFlags extends ModelFlags {
  readonly train?: string
  readonly label?: string
  readonly model?: string
  readonly components: number
  readonly priors?: ReadonlyMap<string, number>
  readonly smoothing: number
  readonly sharedCovariance?: boolean
  readonly costs?: Costs
  readonly reject?: number
  readonly out?: string
  readonly report?: boolean
  readonly json?: boolean
  readonly keep?: readonly string[]
}

/** `eddy classify`: Bayes' rule with one mixture a class. */
export function classifyCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('classify')
    .description(
      'learn a Bayes classifier from labelled events (one mixture per class), and classify the events of --input',
    )
    .option('--train <file>', 'labelled events to learn from')
    .option('--label <column>', 'with --train: the column of the class')
    .option('--model <classifier.json>', 'instead of --train: made by --out')
  addModelOptions(command)
    .option(
      '--components <k>',
      'components of each class; 1 with --covariance diag is naive Bayes',
      wholeNumber(1, 1024),
      1,
    )
    .option('--priors <a=0.2,b=0.8>', 'prior of each class (default: its share of --train)', numberMap('(0, Infinity)'))
    .option(
      '--smoothing <events>',
      'pseudo-events of each category, of true and false, and of the mean count, in each class (Laplace)',
      decimal('[0, Infinity)'),
      1,
    )
    .option('--shared-covariance', 'one covariance of the numbers for all classes: linear discriminant analysis')
    .option('--costs <actual:decided=5>', 'costs of wrong decisions (default: 1 each)', numberMap('[0, Infinity)'))
    .option('--reject <cost>', 'decide only where the expected cost is at most this', decimal('[0, Infinity)'))
    .option('--out <classifier.json>', 'write the classifier to a file')
    .option('--report', 'for labelled --input: report error, cost, log loss and confusion, and those of baselines')
    .option('--json', 'with --report: print one JSON object')
    .option('--keep <a,b>', "copy these of the record's values into each line, e.g. the customer", nameList)
    .action((flags: ClassifyFlags) => classify(terminal, flags))
  return withExamples(command, [
    [
      'eddy classify --train bought.csv --label returned --features price,items --input new.csv --keep order',
      'one JSON line per order',
    ],
    [
      'eddy classify --train a.csv --label kind --components 3 --input b.csv --report',
      'how good is it on other events?',
    ],
    [
      'eddy classify --train a.csv --label kind --shared-covariance --input b.csv',
      'linear discriminant analysis: few events of some kind',
    ],
    [
      'eddy classify --train a.csv --label fraud --costs yes:no=50 --reject 0.4 --input b.csv',
      'a missed fraud costs 50; leave doubtful ones to people',
    ],
  ])
}

/** Parser of `name=number,…`. */
function numberMap(range: string): (text: string) => ReadonlyMap<string, number> {
  return text =>
    new Map(
      nameList(text).map(pair => {
        const at = pair.lastIndexOf('=')
        if (at < 1) throw new InvalidArgumentError(`Expected name=number, got "${pair}".`)
        return [pair.slice(0, at), decimal(range)(pair.slice(at + 1))]
      }),
    )
}

async function classify(terminal: Terminal, flags: ClassifyFlags): Promise<void> {
  const kernel = createKernel(flags.kernel)
  if ((flags.train === undefined) === (flags.model === undefined)) {
    throw new UsageError('classify: expected either --train FILE with --label COLUMN, or --model FILE.')
  }
  const learned = flags.train === undefined ? undefined : await learn(terminal, flags, flags.train)
  const classifier = learned?.classifier ?? (await readClassifier(flags.model!))
  if (flags.out !== undefined) {
    await writeClassifier(flags.out, classifier)
    note(terminal, `eddy: wrote ${flags.out}`)
  }
  const names = classifier.classes.map(({ name }) => name)
  checkCosts(flags.costs, names)
  const classes = classifier.classes.map(
    ({ name, prior, stored }): ClassDensity => ({ name, prior, density: modelDensity(stored.model, kernel) }),
  )
  const label: FeatureColumn | undefined = flags.report
    ? { name: classifier.label, type: 'category', values: names }
    : undefined
  const stream = await openFeatures(terminal, flags, classifierColumns(classifier), { label })
  if (!flags.report) {
    for await (const rows of stream.batches) {
      const decisions = decide(classes, rows.values, rows.rows, flags.costs, flags.reject)
      await print(terminal, lines(rows, decisions, names, flags.keep, stream.records.name))
    }
    return
  }
  const baselines = learned ? { histogram: learned.histogram, 'most frequent': constant(classes) } : {}
  const compared = { mixture: classes, ...baselines }
  const builders = Object.fromEntries(
    Object.keys(compared).map(name => [
      name,
      new ReportBuilder(names, flags.costs ?? new Map(), flags.reject ?? Infinity),
    ]),
  )
  for await (const rows of stream.batches) {
    const { values, truth } = withoutLabel(rows, classifierColumns(classifier).length)
    for (const [name, densities] of Object.entries(compared)) {
      const decisions = decide(densities, values, truth.length, flags.costs, flags.reject)
      truth.forEach((actual, n) => {
        builders[name]!.add(actual, decisions[n]!)
      })
    }
  }
  const reports = Object.fromEntries(Object.entries(builders).map(([name, builder]) => [name, builder.report()]))
  await print(terminal, flags.json ? JSON.stringify(reports) + '\n' : readableReports(reports))
}

/** One model a class, and the histogram baseline on the same events. */
async function learn(terminal: Terminal, flags: ClassifyFlags, file: string) {
  const { label } = flags
  if (label === undefined)
    throw new UsageError('--label: expected the column of the class beside --train, got nothing.')
  const stream = await openModelFeatures(
    terminal,
    { ...flags, input: file },
    {
      label: { name: label, type: 'category' },
    },
  )
  const labelled = await collectFeatures(stream)
  checkClasses(labelled, file, terminal)
  const groups = byClass(labelled)
  for (const name of flags.priors?.keys() ?? [])
    checkClass(
      '--priors',
      name,
      groups.map(group => group.name),
    )
  const weightOf = (name: string, share: number) => flags.priors?.get(name) ?? share
  const total = groups.reduce((sum, { name, share }) => sum + weightOf(name, share), 0)
  const everything = joined(groups.map(group => group.matrix))
  const bins = scottBins(labelled.rows / groups.length)
  const priors = groups.map(({ name, share }) => weightOf(name, share) / total)
  const classifier: StoredClassifier = {
    label,
    classes: modelsOf(
      groups.map(({ matrix }) => smoothed(matrix, everything, flags.smoothing)),
      flags,
    ).map((model, c) => ({
      name: groups[c]!.name,
      prior: priors[c]!,
      stored: { model, columns: groups[c]!.matrix.columns },
    })),
  }
  const histogram = groups.map(
    ({ name, matrix }, c): ClassDensity => ({
      name,
      prior: priors[c]!,
      density: histogramDensity(
        blockOf(matrix),
        matrix.weights,
        blockOf(everything),
        bins,
        matrix.columns.map(ownBins),
      ),
    }),
  )
  return { classifier, histogram }
}

/**
 * Notes where most classes have one event.
 * @throws InputError where each event has a class of its own: that is an id
 */
function checkClasses({ columns, rows }: FeatureMatrix, file: string, terminal: Terminal): void {
  const { name, values = [] } = columns.at(-1)!
  const classes = values.length
  if (classes > 2 && classes === rows)
    throw new InputError(
      `${file}: ${name}: expected a column of classes, got ${classes} different values in ${rows} records: an id? Name another column with --label.`,
    )
  if (classes > rows / 2)
    note(
      terminal,
      `eddy: ${name} has ${classes} classes in ${counted(rows, 'record')}: most have one event. Is it an id?`,
    )
}

/** A model of each class. */
function modelsOf(classes: readonly FeatureMatrix[], flags: ClassifyFlags): readonly Model[] {
  const options = { ...trainingOptions(flags), components: flags.components }
  if (flags.sharedCovariance !== true) {
    // One treatment for all classes: a probability of an atom in one cannot be compared with a density in another.
    const everything = joined(classes)
    return orModelError(() => {
      const declared = specificationOf(everything, options)
      const specification = treated(declared, blockOf(everything), everything.weights)
      return classes.map(matrix => trainOn(specification, blockOf(matrix), matrix.weights, options))
    })
  }
  if (flags.components !== 1 || flags.covariance !== 'full' || flags.family !== 'gaussian')
    throw new UsageError(
      '--shared-covariance: expected one gaussian component a class and a full covariance, got another --components, --covariance or --family.',
    )
  const all = joined(classes)
  const labels = Int32Array.from(classes.flatMap(({ rows }, c) => new Array<number>(rows).fill(c)))
  return orModelError(() =>
    sharedCovariance(
      specificationOf(all, options),
      { block: blockOf(all), weights: all.weights, labels, classes: classes.length },
      options.kernel,
    ),
  )
}

const blockOf = ({ rows, columns, values }: FeatureMatrix): Block => ({ rows, columns: columns.length, values })

/** How many values a column has where each is a bin of its own. */
const ownBins = ({ type, values }: FeatureColumn): number | undefined =>
  type === 'category' ? (values?.length ?? 2) : type === 'boolean' ? 2 : undefined

/** A classifier that knows the priors only. */
function constant(classes: readonly ClassDensity[]): ClassDensity[] {
  return classes.map(({ name, prior }) => ({
    name,
    prior,
    density: { logDensity: (_, rows) => new Float64Array(rows) },
  }))
}

function joined(parts: readonly FeatureMatrix[]): FeatureMatrix {
  const concatenated = (pick: (part: FeatureMatrix) => Float64Array) => {
    const all = new Float64Array(parts.reduce((sum, part) => sum + pick(part).length, 0))
    let at = 0
    for (const part of parts) {
      all.set(pick(part), at)
      at += pick(part).length
    }
    return all
  }
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  return {
    columns: parts[0]!.columns,
    rows,
    values: concatenated(p => p.values),
    weights: concatenated(p => p.weights),
  }
}

/** Features and true classes of the rows that have a label: the last column. */
function withoutLabel({ rows, values }: FeatureRows, columns: number) {
  const width = columns + 1
  const truth: number[] = []
  const features = new Float64Array(rows * columns)
  for (let n = 0; n < rows; n++) {
    const actual = values[n * width + columns]!
    if (Number.isNaN(actual)) continue
    features.set(values.subarray(n * width, n * width + columns), truth.length * columns)
    truth.push(actual)
  }
  return { values: features, truth }
}

function lines(
  { records }: FeatureRows,
  decisions: readonly Decision[],
  names: readonly string[],
  keep: readonly string[] | undefined,
  file: string,
): string {
  return decisions
    .map(({ decided, posterior, risk, logDensity }, n) => {
      const line = {
        ...keptValues(records[n]!, keep, file),
        class: names[decided] ?? null,
        posterior: Object.fromEntries(names.map((name, c) => [name, posterior[c]!])),
        risk,
        logDensity,
      }
      return JSON.stringify(line) + '\n'
    })
    .join('')
}

function checkCosts(costs: Costs | undefined, names: readonly string[]): void {
  const known = names.flatMap(actual => names.map(predicted => costKey(actual, predicted)))
  for (const key of costs?.keys() ?? []) checkClass('--costs', key, known)
}

function checkClass(flag: string, got: string, known: readonly string[]): void {
  if (!known.includes(got)) throw new ModelError(`${flag}: expected one of ${known.join(', ')}, got ${got}.`)
}
