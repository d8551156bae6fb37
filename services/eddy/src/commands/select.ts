import { writeFile } from 'node:fs/promises'
import {
  type Candidate,
  type Covariance,
  type Criterion,
  criteria,
  DEFAULTS,
  distinctRows,
  type Selection,
  selectComponents,
} from '@eddy/mixture'
import { InputError } from '@eddy/records'
import { counted, plural } from '@eddy/runtime'
import { Command, Option } from 'commander'
import { wholeNumber } from '../command-line/arguments.ts'
import { UsageError } from '../command-line/exit-code.ts'
import { fixed, percent } from '../command-line/figures.ts'
import { palette, svgPlot } from '../command-line/plot.ts'
import { Progress } from '../command-line/progress.ts'
import { table } from '../command-line/table.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { constantNotes } from '../offline/column-notes.ts'
import { orModelError, specificationOf, trainOn } from '../offline/train.ts'
import { withExamples } from '../program.ts'
import { collectGrouped } from './collect-grouped.ts'
import { inputName } from './input-options.ts'
import {
  addModelOptions,
  COVARIANCES,
  initialisationOf,
  type ModelFlags,
  openModelFeatures,
  trainingOptions,
} from './model-options.ts'

/** Starts of each of the many fits. */
const SELECT_RESTARTS = DEFAULTS.warmUp.restarts / 2

/** What `--covariance all` compares. */
const ALL_FORMS: readonly Covariance[] = ['full', 'tied', 'diag', 'spherical']

interface SelectFlags extends Omit<ModelFlags, 'covariance'> {
  readonly covariance: Covariance | 'all'
  readonly minComponents: number
  readonly maxComponents: number
  readonly criterion: Criterion
  readonly folds: number
  /** false for --no-group */
  readonly group: string | boolean
  readonly plot?: string
  readonly json?: boolean
}

/** `eddy select`: how many segments does a file hold? */
export function selectCommand(terminal: Terminal = processTerminal): Command {
  const command = addModelOptions(new Command('select').description('compare numbers of segments and choose one'), [
    ...COVARIANCES,
    'all',
  ])
    .option('--min-components <k>', 'smallest number of segments', wholeNumber(1, 1024), 1)
    .option('--max-components <k>', 'largest number of segments', wholeNumber(1, 1024), 12)
    .addOption(new Option('--criterion <name>', 'what decides').choices([...criteria]).default('cross-validation'))
    .option('--folds <n>', 'of cross-validation', wholeNumber(2, 100), 5)
    .option(
      '--group <column>',
      'column whose equal values keep events in one fold, counted as one (default: customer, if there is one); must not be a feature',
    )
    .option('--no-group', 'treat each event as a group of its own')
    .option('--plot <file.svg>', 'write a picture of all criteria')
    .option('--json', 'print one JSON object')
    .action((flags: SelectFlags) => select(terminal, flags))
  return withExamples(command, [
    [
      'eddy select --input customers.csv --features recency,frequency,spend --plot select.svg',
      '1 to 12 segments by cross-validation',
    ],
    ['eddy select --input customers.csv --covariance all', 'and full, tied, diag and spherical covariances'],
    [
      'eddy select --input customers.csv --max-components 20 --criterion prequential --json | jq .chosen',
      'for a script',
    ],
  ])
}

async function select(terminal: Terminal, flags: SelectFlags): Promise<void> {
  const { minComponents, maxComponents, criterion, folds } = flags
  if (maxComponents < minComponents) {
    throw new UsageError(
      `--max-components: expected at least --min-components (${minComponents}), got ${maxComponents}.`,
    )
  }
  if (!initialisationOf(flags.init)) {
    throw new UsageError(
      `--init: expected auto, kmeans++, random or split, got ${flags.init}. A file fits one number of components only.`,
    )
  }
  const all = flags.covariance === 'all'
  const ofOne: ModelFlags = { ...flags, covariance: all ? ALL_FORMS[0]! : (flags.covariance as Covariance) }
  const stream = await openModelFeatures(terminal, ofOne)
  const { matrix, groups } = await collectGrouped(stream, flags.group)
  const group = typeof flags.group === 'string' ? flags.group : 'customer'
  if (groups !== undefined && matrix.columns.some(({ name }) => name === group))
    throw new UsageError(`--group: expected a column that is not learned, got ${group}. Leave it out of --features.`)
  if (matrix.rows < folds) {
    throw new InputError(
      `${inputName(flags)}: expected at least as many records as folds (${folds}), got ${matrix.rows}. Lower --folds.`,
    )
  }
  const customers = groups === undefined ? matrix.rows : new Set(groups).size
  if (customers < folds) {
    throw new InputError(
      `${inputName(flags)}: expected at least as many customers as folds (${folds}), got ${customers}. Lower --folds, or say --no-group.`,
    )
  }
  const progress = new Progress(terminal, 'Comparing', 1)
  const onProgress = (share: number): void => progress.update(share)
  const training = trainingOptions(ofOne)
  const restarts = training.restarts ?? SELECT_RESTARTS
  const block = { rows: matrix.rows, columns: matrix.columns.length, values: matrix.values }
  const selection = orModelError(() =>
    selectComponents(
      specificationOf(matrix, { ...training, restarts, components: minComponents }),
      block,
      matrix.weights,
      {
        minComponents,
        maxComponents,
        ...(all ? { covariances: ALL_FORMS } : {}),
        criterion,
        folds,
        groups,
        seed: training.seed,
        fit: (specification, events, weights) => trainOn(specification, events, weights, { ...training, restarts }),
        batchSize: training.batchSize,
        kernel: training.kernel,
        onProgress,
      },
    ),
  )
  progress.stop()
  if (flags.plot !== undefined) {
    await writeFile(flags.plot, picture(selection, matrix.rows))
    note(terminal, `eddy: wrote ${flags.plot}`)
  }
  await print(terminal, flags.json ? JSON.stringify(selection) + '\n' : readable(selection))
  for (const sentence of constantNotes(matrix)) note(terminal, `eddy: ${sentence}`)
  for (const sentence of doubts(selection, flags, distinctRows(block, maxComponents)))
    note(terminal, `eddy: ${sentence}`)
  const taken = (name: Criterion): string =>
    all ? `${selection.choices[name]} (${selection.covariances[name]})` : `${selection.choices[name]}`
  if (taken('bic') !== taken('cross-validation')) {
    note(
      terminal,
      `eddy: BIC takes ${taken('bic')}, events that were held out take ${taken('cross-validation')}. BIC's penalty is an approximation for ` +
        'much data and a true model: believe the held-out events.',
    )
  }
}

/** Why the choice may be none. */
function doubts(
  { candidates, chosen, covariance }: Selection,
  { maxComponents, minComponents }: SelectFlags,
  distinct: number,
): string[] {
  const found: string[] = []
  if (chosen === maxComponents && minComponents < maxComponents)
    found.push(`the largest number compared, ${maxComponents}, was chosen: there may be more. Raise --max-components.`)
  if (distinct < maxComponents)
    found.push(
      `there ${plural(distinct, 'is')} ${counted(distinct, 'different event')}, fewer than ${counted(maxComponents, 'segment')}: what is beyond says nothing.`,
    )
  const { degenerate } = candidates.find(of => of.components === chosen && of.covariance === covariance)!
  const held = degenerate.filter(({ kind }) => kind !== 'empty')
  if (held.length > 0) {
    const share = held.reduce((sum, of) => sum + of.share, 0)
    found.push(
      `${held.length} of the ${counted(chosen, 'segment')} chosen, with ${percent(share)} of the weight, ${plural(held.length, 'is')} held at the variance floor: ` +
        'values that are repeated were taken for segments. Leave --transform at auto, or say --resolution.',
    )
  }
  return found
}

function readable({ candidates, choices, covariances, chosen, covariance, criterion }: Selection): string {
  const forms = new Set(candidates.map(of => of.covariance)).size > 1
  const mark = (name: Criterion, of: Candidate) =>
    choices[name] === of.components && covariances[name] === of.covariance ? ' *' : '  '
  const rows = candidates.map(c => [
    ...(forms ? [c.covariance] : []),
    String(c.components),
    String(c.parameters),
    fixed(c.crossValidation, 4) + mark('cross-validation', c),
    `${fixed(c.behind, 4)} ± ${fixed(c.behindError, 4)}`,
    fixed(c.prequential, 4) + mark('prequential', c),
    fixed(c.bic, 1) + mark('bic', c),
    fixed(c.aic, 1) + mark('aic', c),
    fixed(c.icl, 1),
    Number.isNaN(c.stability) ? '' : fixed(c.stability, 2),
  ])
  const head = [
    ...(forms ? ['covariance'] : []),
    'components',
    'parameters',
    'cross-validation',
    'behind the best',
    'prequential',
    'BIC',
    'AIC',
    'ICL',
    'stability',
  ]
  const choice = `${counted(chosen, 'component')}${forms ? `, ${covariance},` : ''} by ${criterion}`
  return `${table(head, rows)}\n\n${choice} (* the choice of each criterion; likelihoods in nats per event; stability: how alike two halves of the events divide all, 1 at most)\n`
}

/** All criteria of the chosen form as nats per event, so that they share an axis and more is better. */
function picture({ candidates: all, choices, covariance }: Selection, events: number): string {
  const candidates = all.filter(of => of.covariance === covariance)
  const x = candidates.map(candidate => candidate.components)
  const curve = (name: Criterion, label: string, colour: number, value: (candidate: Candidate) => number) => {
    const known = candidates.filter(candidate => !Number.isNaN(value(candidate)))
    return {
      kind: 'line' as const,
      x: known.map(candidate => candidate.components),
      y: known.map(value),
      colour: palette[colour]!,
      dots: true,
      name: `${label}: takes ${choices[name]}`,
    }
  }
  return svgPlot({
    title: 'How many segments?',
    width: 640,
    height: 420,
    x: { label: 'components', domain: [x[0]! - 0.5, x.at(-1)! + 0.5] },
    y: { label: 'nats per event' },
    legend: 'bottom',
    marks: [
      curve('cross-validation', 'cross-validation', 0, candidate => candidate.crossValidation),
      curve('prequential', 'prequential', 2, candidate => candidate.prequential),
      curve('bic', '−BIC/2n', 1, candidate => -candidate.bic / (2 * events)),
      curve('aic', '−AIC/2n', 3, candidate => -candidate.aic / (2 * events)),
    ].filter(mark => mark.x.length > 0),
  })
}
