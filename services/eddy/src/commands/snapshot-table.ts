import type { EventLog } from '@eddy/log'
import { labelCodec, type Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'
import { lastValueFrom, tap } from 'rxjs'
import { segmentTable } from './segment-table.ts'

/** How many of the newest labels are looked at for customers to show. */
const recent = 5000
const shownCustomers = 3

/** The segments of a snapshot, with a few customers of each. @param labels name of the topic */
export async function snapshotTable(log: EventLog, labels: string, snapshot: Snapshot | undefined): Promise<string> {
  if (snapshot === undefined) return 'No segments yet: the model is still warming up.\n'
  const customers = await recentCustomers(log, labels)
  const specification = JSON.parse(snapshot.specification) as ModelSpecification
  const ids = snapshot.segments.map(({ id }) => id)
  const { parameters } = snapshot
  const provisional = snapshot.provisional
    ? 'Provisional: the model is still warming up, and will be learned anew.\n'
    : ''
  return `${segmentTable({ specification, parameters }, { columns: specification.features, ids, customers, heaviestFirst: true })}\n${provisional}`
}

/** Customers by segment, newest label first. */
async function recentCustomers(log: EventLog, topic: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const offsets = await log.offsets(topic)
  const from = new Map(offsets.map(({ partition, start, end }) => [partition, Math.max(start, end - recent)]))
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
  const bySegment = new Map<string, string[]>()
  for (const [customer, segment] of [...segmentOf].reverse()) {
    const customers = bySegment.get(segment) ?? []
    if (customers.length < shownCustomers) bySegment.set(segment, [...customers, customer])
  }
  return bySegment
}
