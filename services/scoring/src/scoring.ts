import type { Delivery, OutgoingRecord } from '@eddy/log'
import { FeaturesReader, LabelEncoder, type Snapshot } from '@eddy/messages'
import { applyTransform, createMixture, type Mixture, type ModelSpecification } from '@eddy/mixture'
import type { Emission, Stage } from '@eddy/runtime'
import { BehaviorSubject, concatMap, filter, finalize, firstValueFrom, type Observable } from 'rxjs'

export interface ScoringOptions {
  readonly topics: { readonly labels: string }
}

/**
 * Feature vectors × the newest snapshot → labels, exactly one an event, in the partition they came from.
 * Waits for the first snapshot; the model may change between deliveries, never within one.
 */
export function scoring({ topics }: ScoringOptions, snapshots: Observable<Snapshot>): Stage {
  return deliveries => {
    const newest = new BehaviorSubject<Snapshot | undefined>(undefined)
    const following = snapshots.subscribe({
      next: snapshot => newest.next(snapshot),
      error: error => newest.error(error),
      complete: () => newest.complete(),
    })
    let scorer: Scorer | undefined
    return deliveries.pipe(
      concatMap(async delivery => {
        const snapshot = newest.value ?? (await firstValueFrom(newest.pipe(filter(value => value !== undefined))))
        if (scorer?.snapshot !== snapshot) scorer = new Scorer(snapshot, scorer)
        return label(delivery, scorer, topics.labels)
      }),
      finalize(() => following.unsubscribe()),
    )
  }
}

/** A snapshot made ready to score; the mixture is kept while its specification stays. */
class Scorer {
  readonly snapshot: Snapshot
  readonly specification: ModelSpecification
  readonly mixture: Mixture
  readonly labels: LabelEncoder

  constructor(snapshot: Snapshot, previous: Scorer | undefined) {
    this.snapshot = snapshot
    const same = previous?.snapshot.specification === snapshot.specification ? previous : undefined
    this.specification = same?.specification ?? (JSON.parse(snapshot.specification) as ModelSpecification)
    this.mixture = same?.mixture ?? createMixture(this.specification)
    const { model, version: snapshotVersion } = snapshot
    this.labels = new LabelEncoder({ model, snapshotVersion, segments: snapshot.segments.map(({ id }) => id) })
  }
}

const reader = new FeaturesReader()

function label(delivery: Delivery, scorer: Scorer, topic: string): Emission {
  const { snapshot, specification, mixture, labels } = scorer
  const { records, partition } = delivery
  const rows = records.length
  const columns = specification.features.length
  const components = snapshot.segments.length
  const values = new Float64Array(rows * columns)
  const customers = new Array<string>(rows)
  const times = new Float64Array(rows)
  for (let n = 0; n < rows; n++) {
    reader.decodeFeaturesInto(records[n]!.value as Uint8Array, values, n * columns, columns)
    customers[n] = reader.customer
    times[n] = reader.time
  }
  const { block, logJacobian } = applyTransform(specification, snapshot.parameters, { rows, columns, values })
  const posteriors = new Float64Array(rows * components)
  const logDensity = new Float64Array(rows)
  mixture.score(snapshot.parameters, block, posteriors, logDensity)
  for (let n = 0; n < rows; n++) logDensity[n]! += logJacobian[n]!
  const outgoing: OutgoingRecord[] = records.map(({ offset, headers, timestamp, key }, n) => ({
    key: key ?? Buffer.from(customers[n]!),
    value: labels.encode(
      customers[n]!,
      times[n]!,
      posteriors,
      n,
      likeliest(posteriors, n, components),
      logDensity[n]!,
      partition,
      offset,
    ),
    ...(headers.traceparent === undefined ? {} : { headers: { traceparent: headers.traceparent } }),
    timestamp,
    partition,
  }))
  return { publications: rows === 0 ? [] : [{ topic, records: outgoing }], settles: [delivery] }
}

/** Component with the largest posterior of row `n`; the first of equals. */
function likeliest(posteriors: Float64Array, n: number, components: number): number {
  const row = n * components
  let best = 0
  for (let k = 1; k < components; k++) if (posteriors[row + k]! > posteriors[row + best]!) best = k
  return best
}
