import { type EventLog, LogError } from '@eddy/log'
import type { Snapshot } from '@eddy/messages'
import type { Model, ModelSpecification } from '@eddy/mixture'
import { type FormChange, featureChanges, formChanges, newestOfEachModel, type StoredModel } from '@eddy/model'
import { ConfigurationError } from '@eddy/runtime'
import { type Configuration, type Feature, specificationOf } from '@eddy/settings'

/**
 * Compares the configuration with what is stored, before anything else is read or written: the features with those that any model has
 * learned, as all read the same vectors, and the rest of the form with the configured model's.
 * @throws {ConfigurationError} that names each difference, both values, and what can be done
 */
export async function refuseChangedForm(
  log: EventLog,
  configuration: Configuration,
  features: readonly Feature[],
): Promise<void> {
  const specification = specificationOf(configuration, features)
  for (const snapshot of await stored(log, configuration.topics.snapshots)) {
    const was = JSON.parse(snapshot.specification) as ModelSpecification
    // Nothing of a provisional model is kept; the feature vectors are.
    const own = snapshot.model === configuration.model.name && !snapshot.provisional
    const changes = own ? formChanges(was, specification) : featureChanges(was.features, specification.features)
    if (changes.length > 0)
      throw new ConfigurationError(
        changes.map(
          ({ setting, stored, configured, of }) =>
            `${setting}: expected ${stored}, as model ${snapshot.model} (snapshot ${snapshot.version}) has learned it, got ${configured}; ${advice(of, own, configuration.log.kind)}`,
        ),
      )
  }
}

/**
 * The form in which a model of a file goes on learning.
 * @throws {ConfigurationError} where the file has another form than the configuration, or the configured model is stored already
 */
export async function beginningWith(
  { model: { specification, parameters } }: StoredModel,
  path: string,
  log: EventLog,
  configuration: Configuration,
  features: readonly Feature[],
): Promise<Pick<Model, 'specification' | 'parameters'>> {
  const { name } = configuration.model
  const begun = (await stored(log, configuration.topics.snapshots)).find(each => each.model === name)
  if (begun !== undefined && !begun.provisional)
    throw new ConfigurationError([
      `--model: expected none, as model ${name} has snapshot ${begun.version}, got ${path}; leave it out, or begin another model.name with it`,
    ])
  const configured = specificationOf(configuration, features)
  const changes = formChanges(specification, configured)
  if (changes.length > 0)
    throw new ConfigurationError(
      changes.map(
        ({ setting, stored, configured }) => `${setting}: expected ${stored}, as in ${path}, got ${configured}`,
      ),
    )
  const { prior, stepSize, warmUp } = configured
  return { specification: { ...specification, prior, stepSize, warmUp }, parameters }
}

async function stored(log: EventLog, topic: string): Promise<readonly Snapshot[]> {
  try {
    return await newestOfEachModel({ log, topic })
  } catch (error) {
    if (error instanceof LogError && error.code === 'TOPIC_MISSING') return []
    throw error
  }
}

/** What can be done, where the configured model itself is to change, and where another one reads the same vectors. */
function advice(of: FormChange['of'], own: boolean, kind: Configuration['log']['kind']): string {
  const relearn =
    own && kind === 'embedded' ? ' learn the second from the stored events beside it by `eddy relearn`;' : ''
  return of === 'features'
    ? `the feature vectors that are stored have the first: put it back;${relearn} or begin anew (--data-dir; on Kafka other topics)`
    : `put it back;${relearn} or learn it under another model.name, and make that the model by \`eddy models promote\``
}
