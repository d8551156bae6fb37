import type { EventLog } from '@eddy/log'
import { labelCodec, type Snapshot } from '@eddy/messages'
import type { ModelSpecification } from '@eddy/mixture'
import { describeSegments } from '@eddy/model'
import type { Configuration } from '@eddy/settings'
import Table from 'cli-table3'
import { lastValueFrom, tap } from 'rxjs'

/** How many of the newest labels are looked at for customers to show. */
const recent = 5000
const shownCustomers = 3

/** The segments found: share, centre in the user's units, a few customers of each. */
export async function segmentTable(
  log: EventLog,
  configuration: Configuration,
  snapshot: Snapshot | undefined,
): Promise<string> {
  if (snapshot === undefined) return 'No segments yet: the model is still warming up.\n'
  const segments = describeSegments(snapshot)
  const customers = await recentCustomers(log, configuration.topics.labels)
  const { features } = JSON.parse(snapshot.specification) as ModelSpecification
  const names = features.map(({ name }) => name)
  const table = new Table({
    head: [
      'segment',
      'share',
      ...features.map(({ name, unit }) => (unit === undefined ? name : `${name} (${unit})`)),
      'customers',
    ],
    style: { head: [], border: [] },
    colAligns: ['left', 'right', ...names.map(() => 'right' as const), 'left'],
  })
  for (const { id, weight, centre } of segments) {
    const values = names.map(name => shown(centre[name]!))
    table.push([
      id,
      `${(100 * weight).toFixed(1)} %`,
      ...values,
      [...(customers.get(id) ?? [])].slice(0, shownCustomers).join(', '),
    ])
  }
  const provisional = snapshot.provisional
    ? 'Provisional: the model is still warming up, and will be learned anew.\n'
    : ''
  return `${table.toString()}\n${provisional}`
}

/** Customers by segment, newest label first. */
async function recentCustomers(log: EventLog, topic: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
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
  const bySegment = new Map<string, Set<string>>()
  for (const [customer, segment] of [...segmentOf].reverse()) {
    bySegment.set(segment, (bySegment.get(segment) ?? new Set()).add(customer))
  }
  return bySegment
}

const shown = (value: number | string): string =>
  typeof value === 'string' ? value : value.toLocaleString('en-US', { maximumSignificantDigits: 3 })
