import { setImmediate } from 'node:timers/promises'
import type { EventLog, OutgoingRecord } from '@eddy/log'
import { featureVectorCodec } from '@eddy/messages'
import { random, standardNormal } from '@eddy/mixture'

/** How events are written: Avro with the Confluent header, or JSON. */
export type Format = 'avro' | 'json'

export const COLUMNS = 16
export const COMPONENTS = 8

/** Distinct events; a run goes round them, so that the events themselves take no memory. */
const DISTINCT = 16_384
const PUBLICATION = 2048
/** Events that may wait to be read before the source pauses. */
const AHEAD = 16_384

/** Events of K overlapping segments with correlated features, the same for the same seed. */
export function eventRecords(format: Format, seed = 1): OutgoingRecord[] {
  const next = random(seed)
  const normals = (count: number): Float64Array => Float64Array.from({ length: count }, () => standardNormal(next))
  const centres = Array.from({ length: COMPONENTS }, () => normals(COLUMNS).map(value => 1.5 * value))
  const mixing = Array.from({ length: COMPONENTS }, () => normals(COLUMNS * COLUMNS).map(value => 0.25 * value))
  return Array.from({ length: DISTINCT }, (_, n) => {
    const k = Math.floor(next() * COMPONENTS)
    const noise = normals(COLUMNS)
    const features = centres[k]!.map((centre, i) => {
      let value = centre + noise[i]!
      for (let j = 0; j < COLUMNS; j++) value += mixing[k]![i * COLUMNS + j]! * noise[j]!
      return value
    })
    const customer = `customer-${n}`
    const value =
      format === 'avro'
        ? featureVectorCodec.encode({ customer, time: 1_700_000_000_000 + n, weight: 1, features })
        : Buffer.from(JSON.stringify({ customer, features: named(features) }))
    return { key: Buffer.from(customer), value: Uint8Array.from(value), partition: 0 }
  })
}

export const featureNames: readonly string[] = Array.from({ length: COLUMNS }, (_, i) => `x${i}`)

const named = (features: Float64Array): object =>
  Object.fromEntries(featureNames.map((name, i) => [name, Number(features[i]!.toFixed(6))]))

/** Publishes `count` events, as fast as the reader of `group` takes them. */
export async function publishEvents(
  log: EventLog,
  topic: string,
  group: string,
  events: readonly OutgoingRecord[],
  count: number,
): Promise<void> {
  for (let done = 0; done < count; ) {
    const position = (await log.positions(topic, group)).get(0) ?? 0
    const end = (await log.offsets(topic))[0]!.end
    if (end - position >= AHEAD) {
      await setImmediate()
      continue
    }
    const size = Math.min(PUBLICATION, count - done)
    const records = Array.from({ length: size }, (_, i) => events[(done + i) % events.length]!)
    await log.publish([{ topic, records }])
    done += size
  }
}
