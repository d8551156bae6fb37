import { createKernel, distinctRows, type Model, type StartingJson } from '@eddy/mixture'
import { readJson, type StoredModel, storedJson, writeModel } from '@eddy/model'
import { InputError } from '@eddy/records'
import { counted } from '@eddy/runtime'
import { Command } from 'commander'
import { wholeNumber } from '../command-line/arguments.ts'
import { figure } from '../command-line/figures.ts'
import { Progress } from '../command-line/progress.ts'
import { note, print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { constantNotes } from '../offline/column-notes.ts'
import { customersOfSegments } from '../offline/customers-of-segments.ts'
import { degeneracyNotes } from '../offline/degeneracy-notes.ts'
import { segmentId } from '../offline/evaluate-model.ts'
import { train } from '../offline/train.ts'
import { treatmentNotes } from '../offline/treatment-notes.ts'
import { withExamples } from '../program.ts'
import { collectGrouped } from './collect-grouped.ts'
import { inputName } from './input-options.ts'
import {
  addModelOptions,
  initialisationOf,
  type ModelFlags,
  openModelFeatures,
  trainingOptions,
} from './model-options.ts'
import { type SegmentCustomers, segmentTable } from './segment-table.ts'
import { checkStartTreatment } from './start-treatment.ts'

interface FitFlags extends ModelFlags {
  readonly components: number
  readonly out?: string
  readonly json?: boolean
}

/** `eddy fit`: a model of a file. */
export function fitCommand(terminal: Terminal = processTerminal): Command {
  const command = addModelOptions(new Command('fit').description('fit a mixture model to a file'))
    .requiredOption('--components <k>', 'number of segments', wholeNumber(1, 1024))
    .option('--out <model.json>', 'write the model to a file')
    .option('--json', 'print the model as JSON')
    .action((flags: FitFlags) => fit(terminal, flags))
  return withExamples(command, [
    [
      'eddy fit --input customers.csv --features recency,frequency,spend --components 5 --out model.json',
      'five segments of customers',
    ],
    [
      'eddy fit --input customers.csv --components 5 --init start.json',
      'from weights_, means_ and covariances_ of a file',
    ],
    ['zcat events.ndjson.gz | eddy fit --input - --components 8 --algorithm stepwise --json', 'one pass over a stream'],
    ['eddy fit --input shop.csv --types visits=count,country=category --components 4 --out model.json', 'mixed types'],
  ])
}

async function fit(terminal: Terminal, flags: FitFlags): Promise<void> {
  const start = initialisationOf(flags.init) ? undefined : ((await readJson(flags.init)) as StartingJson)
  if (start !== undefined) checkStartTreatment(start, flags)
  const stream = await openModelFeatures(terminal, flags)
  const { matrix, groups } = await collectGrouped(stream, undefined)
  const block = { rows: matrix.rows, columns: matrix.columns.length, values: matrix.values }
  const distinct = distinctRows(block, flags.components)
  if (distinct < flags.components) {
    throw new InputError(
      `${inputName(flags)}: expected at least as many different events as segments (${flags.components}), got ${distinct}. Lower --components.`,
    )
  }
  const progress = new Progress(terminal, 'Fitting', 1)
  const model = train(matrix, {
    ...trainingOptions(flags),
    components: flags.components,
    start,
    onProgress: share => progress.update(share),
  })
  progress.stop()
  const stored = { model, columns: matrix.columns }
  if (isStandardSpherical(model)) {
    note(
      terminal,
      'eddy: spherical in standardised units, an ellipsoid along the axes in yours; --no-transform makes it spherical in yours.',
    )
  }
  for (const sentence of treatmentNotes(model)) note(terminal, `eddy: ${sentence}`)
  const weight = matrix.weights.reduce((a, b) => a + b, 0)
  for (const sentence of constantNotes(matrix)) note(terminal, `eddy: ${sentence}`)
  for (const sentence of degeneracyNotes(model, matrix.rows, weight)) note(terminal, `eddy: ${sentence}`)
  if (!model.converged) {
    note(
      terminal,
      `eddy: not converged after ${counted(model.iterations, 'iteration')}: raise --max-iterations or --tolerance.`,
    )
  }
  if (flags.out !== undefined) {
    await writeModel(flags.out, stored)
    note(terminal, `eddy: wrote ${flags.out}. Score with: eddy score --model ${flags.out} --input FILE`)
  }
  if (flags.json) await print(terminal, JSON.stringify(storedJson(stored)) + '\n')
  else {
    const kernel = createKernel(flags.kernel)
    const customers = groups && [...customersOfSegments(model, matrix, groups, kernel)].map(count => ({ count }))
    await print(terminal, summary(stored, matrix.rows, customers))
  }
}

function summary(
  { model, columns }: StoredModel,
  events: number,
  customers: readonly SegmentCustomers[] | undefined,
): string {
  const ids = Array.from({ length: model.specification.components }, (_, k) => segmentId(k))
  const { lowerBound, iterations, converged } = model
  const quality =
    model.parameters.centres === undefined
      ? `lower bound ${figure(lowerBound)} nats`
      : `mean squared distance ${figure(-lowerBound)} (in standardised units)`
  return (
    `${segmentTable(model, { columns, ids, customers })}\n\n${counted(events, 'event')}, ${quality} per event, ` +
    `${counted(iterations, 'iteration')}${converged ? '' : ' (not converged)'}\n`
  )
}

/** Whether a model's one variance a segment is as many in the user's units. */
function isStandardSpherical({ specification, parameters }: Model): boolean {
  const scales = new Set(parameters.transformScale!.filter((_, j) => specification.features[j]!.type === 'number'))
  return specification.covariance === 'spherical' && scales.size > 1
}
