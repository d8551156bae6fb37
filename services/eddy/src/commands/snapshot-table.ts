import type { EventLog } from '@eddy/log'
import { labelCodec, type Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'
import { counted, plural } from '@eddy/runtime'
import { lastValueFrom, tap } from 'rxjs'
import { type SegmentCustomers, segmentTable } from './segment-table.ts'

/** How many of the newest labels of a partition are looked at for its customers. */
const RECENT = 100_000
const shownCustomers = 3

/** The segments of a snapshot, with how many customers each has, and a few of them. @param labels name of the topic */
export async function snapshotTable(log: EventLog, labels: string, snapshot: Snapshot | undefined): Promise<string> {
  if (snapshot === undefined) return 'No segments yet: the model is still warming up.\n'
  const { bySegment, partial } = await labelledCustomers(log, labels)
  const specification = JSON.parse(snapshot.specification) as ModelSpecification
  const ids = snapshot.segments.map(({ id }) => id)
  const { parameters } = snapshot
  const customers = ids.map(id => bySegment.get(id) ?? { count: 0, some: [] })
  const elsewhere = [...bySegment].reduce((sum, [id, { count }]) => (ids.includes(id) ? sum : sum + count), 0)
  const notes = [
    ...(elsewhere > 0
      ? [
          `${counted(elsewhere, 'more customer')} ${plural(elsewhere, 'was')} last labelled with segments that are gone.`,
        ]
      : []),
    ...(partial ? [`Customers: of the newest ${RECENT.toLocaleString('en-US')} labels of each partition.`] : []),
    ...(snapshot.provisional ? ['Provisional: the model is still warming up, and will be learned anew.'] : []),
  ]
  const shown = segmentTable({ specification, parameters }, { columns: specification.features, ids, customers })
  return `${[shown, ...notes].join('\n')}\n`
}

/** Customers by the segment of their newest label. */
async function labelledCustomers(
  log: EventLog,
  topic: string,
): Promise<{ readonly bySegment: ReadonlyMap<string, SegmentCustomers>; readonly partial: boolean }> {
  const offsets = await log.offsets(topic)
  const from = new Map(offsets.map(({ partition, start, end }) => [partition, Math.max(start, end - RECENT)]))
  const segmentOf = new Map<string, string>()
  const labels = log.consume(topic, { from, untilEnd: true }).pipe(
    tap(delivery => {
      for (const { value } of delivery.records) {
        const { customer, segment } = labelCodec.decode(value as Uint8Array)
        segmentOf.delete(customer)
        segmentOf.set(customer, segment)
      }
      delivery.ack()
    }),
  )
  await lastValueFrom(labels, { defaultValue: undefined })
  const bySegment = new Map<string, { count: number; some: string[] }>()
  for (const [customer, segment] of [...segmentOf].reverse()) {
    const found = bySegment.get(segment) ?? { count: 0, some: [] }
    found.count++
    if (found.some.length < shownCustomers) found.some.push(customer)
    bySegment.set(segment, found)
  }
  return { bySegment, partial: offsets.some(({ start, end }) => end - start > RECENT) }
}
