import { rowReader } from '@eddy/ingest'
import type { EventLog } from '@eddy/log'
import { featureSchema, type Snapshot } from '@eddy/messages'
import {
  type Block,
  createKernel,
  type FeatureSpecification,
  type ModelSpecification,
  soundSample,
} from '@eddy/mixture'
import {
  featureChanges,
  isComparable,
  type Ledger,
  ledgerOf,
  newestOfEachModel,
  withStoredTreatment,
} from '@eddy/model'
import { InputError } from '@eddy/records'
import { type Configuration, type Feature, groupName, specificationOf } from '@eddy/settings'
import {
  type Beside,
  type LearnedEvents,
  learnBeside,
  learnedEvents,
  sameView,
  storedEvents,
  type Views,
} from '@eddy/stepwise-em'

/** A model of the configured form, learned from what is stored beside the stored model. */
export interface Candidate extends Beside {
  /** beside which it was learned */
  readonly stored: Snapshot
  /** whether the log-likelihoods of the two are of the same thing */
  readonly comparable: boolean
}

/** Events to learn from, how far they reach, and what each of the two models sees of them. */
interface Source {
  readonly events: LearnedEvents
  readonly ledger: Ledger
  readonly views: Views
}

/**
 * Learns the configured form from the stored events that the configured model has learned. Writes nothing, so that another process may be at
 * work on the log.
 * @throws {InputError} where there is no model, where another model of other features is stored, or where there are too few events
 */
export async function learnCandidate(
  log: EventLog,
  configuration: Configuration,
  features: readonly Feature[],
): Promise<Candidate> {
  const { model, topics } = configuration
  const declared = specificationOf(configuration, features)
  const models = await newestOfEachModel({ log, topic: topics.snapshots })
  const stored = models.find(each => each.model === model.name)
  if (stored === undefined || stored.provisional)
    throw new InputError(
      `model.name: expected a stored model, got ${model.name}, which ${stored === undefined ? 'is none' : 'is warming up'}. It can have any form yet: run \`eddy up\`.`,
    )
  refuseOthers(models, stored, declared)
  const form = JSON.parse(stored.specification) as ModelSpecification
  const specification = withStoredTreatment(declared, form)
  const source = await sourceOf(log, configuration, { stored, form, specification, features })
  const options = { ...source, seed: model.seed, kernel: createKernel(model.kernel) }
  const beside = await learnBeside(stored, specification, options)
  if (beside === undefined)
    throw new InputError(
      `events: expected at least ${soundSample(specification)} stored ones with values for ${features.map(({ name }) => name).join(', ')}, got fewer. Let more come, or choose fewer segments or features.`,
    )
  return { ...beside, stored, comparable: isComparable(form, JSON.parse(beside.snapshot.specification)) }
}

/** All models of a log read the same vectors. */
function refuseOthers(models: readonly Snapshot[], stored: Snapshot, { features }: ModelSpecification): void {
  for (const { model, specification } of models.filter(each => each !== stored)) {
    const [change] = featureChanges((JSON.parse(specification) as ModelSpecification).features, features)
    if (change !== undefined)
      throw new InputError(
        `${change.setting}: expected ${change.stored}, which model ${model} in this log reads too, got ${change.configured}. Begin anew with other features (--data-dir).`,
      )
  }
}

async function sourceOf(
  log: EventLog,
  configuration: Configuration,
  {
    stored,
    form,
    specification,
    features,
  }: { stored: Snapshot; form: ModelSpecification; specification: ModelSpecification; features: readonly Feature[] },
): Promise<Source> {
  const { topics } = configuration
  if (featureChanges(form.features, specification.features).length === 0) {
    const events = learnedEvents(log, topics.features, featureSchema(form.features))
    return { events, ledger: ledgerOf(stored.ledger), views: sameView }
  }
  // Stored vectors have the features of the stored model alone: the events are read once more, as each of the two sees them.
  const before = form.features.length
  const columns = before + features.length
  const seen = new Set<string>()
  const read = rowReader([form.features.map(asRule), features])
  const events = storedEvents(log, topics.events, columns, (record, values, at) => {
    const weight = read(record, values, at)
    if (weight !== undefined)
      for (const [j, { name }] of features.entries()) if (!Number.isNaN(values[at + before + j])) seen.add(name)
    return weight
  })
  const ingested = await log.positions(topics.events, groupName(configuration, 'ingest'))
  const ledger = ledgerOf([...ingested].map(([partition, next]) => ({ partition, next, events: 0n, offsetsHash: 0n })))
  await refuseUnknown(events, ledger, features, seen)
  return { events, ledger, views: { before: part(0, before), after: part(before, columns) } }
}

/** A feature of the stored model as ingest checks it, except for bounds. */
const asRule = ({ name, type, values }: FeatureSpecification): Feature => ({
  name,
  type,
  values: values === undefined ? undefined : [...values],
  transform: 'none',
  required: false,
})

/** Newest events among which a feature must have a value. */
const LOOKED_AT = 16_384

/** @throws {InputError} that names the first feature of which none of the newest events has a value */
async function refuseUnknown(
  events: LearnedEvents,
  ledger: Ledger,
  features: readonly Feature[],
  seen: ReadonlySet<string>,
): Promise<void> {
  await events.visit(await events.newest(ledger, LOOKED_AT), () => {})
  const unknown = features.find(({ name }) => !seen.has(name))
  if (unknown !== undefined)
    throw new InputError(
      `features.${unknown.name}: expected a value in at least one of the newest ${LOOKED_AT} events that are stored as JSON, got none. Only what events carry can be learned from them.`,
    )
}

/** The columns from `from` to `to` of a block. */
const part =
  (from: number, to: number) =>
  ({ rows, columns, values }: Block): Block => {
    const width = to - from
    const out = new Float64Array(rows * width)
    for (let n = 0; n < rows; n++) out.set(values.subarray(n * columns + from, n * columns + to), n * width)
    return { rows, columns: width, values: out }
  }
