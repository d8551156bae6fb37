// Purchases → events with the customer's RFM features as of each purchase, in the order of time:
//   recency    days since the customer's previous purchase; missing at the first
//   frequency  purchases so far, this one included
//   monetary   mean value of the purchases so far, US dollars
//
//   node examples/cdnow/events.ts > events.ndjson
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

interface Purchase {
  readonly customer: string
  readonly day: number
  readonly dollars: number
}

const dayMs = 86_400_000

/** The events of `CDNOW_master.txt.gz`, one JSON text each. */
export function cdnowEvents(): string[] {
  const text = gunzipSync(readFileSync(new URL('CDNOW_master.txt.gz', import.meta.url))).toString('utf8')
  const purchases = text.trim().split('\n').slice(1).map(parse)
  purchases.sort((a, b) => a.day - b.day)
  const customers = new Map<string, { count: number; dollars: number; last: number }>()
  return purchases.map(({ customer, day, dollars }) => {
    const before = customers.get(customer) ?? { count: 0, dollars: 0, last: Number.NaN }
    const now = { count: before.count + 1, dollars: before.dollars + dollars, last: day }
    customers.set(customer, now)
    const features = {
      recency: before.count === 0 ? null : day - before.last,
      frequency: now.count,
      monetary: now.dollars / now.count,
    }
    return JSON.stringify({ customer, time: new Date(day * dayMs).toISOString(), features })
  })
}

function parse(line: string): Purchase {
  const [customer, date, , dollars] = line.trim().split(/\s+/) as [string, string, string, string]
  const day = Date.UTC(Number(date.slice(0, 4)), Number(date.slice(4, 6)) - 1, Number(date.slice(6))) / dayMs
  return { customer, day, dollars: Number(dollars) }
}

if (import.meta.main) process.stdout.write(`${cdnowEvents().join('\n')}\n`)
