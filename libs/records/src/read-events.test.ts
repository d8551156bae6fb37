import { describe, expect, it } from 'vitest'
import { type EventOptions, type InputEvent, readEvents } from './read-events.ts'
import { fileOf } from './testing/temporary-file.ts'

async function eventsOf(path: string, options: EventOptions = {}): Promise<InputEvent[]> {
  const events: InputEvent[] = []
  for await (const batch of readEvents(path, options)) events.push(...batch.map(({ event }) => event))
  return events
}

describe('events of a file', () => {
  it('are JSON objects, with features nested or flat', async () => {
    const path = fileOf(
      'events.ndjson',
      '{"customer":"c1","time":5,"weight":2,"features":{"a":1,"b":null,"c":"web"}}\n{"customer":7,"a":1,"c":true}\n',
    )
    expect(await eventsOf(path)).toEqual([
      { customer: 'c1', time: 5, weight: 2, features: { a: 1, c: 'web' } },
      { customer: 7, features: { a: 1, c: true } },
    ])
  })

  it('are CSV rows, their cells typed, the customer as written', async () => {
    const path = fileOf('events.csv', 'id,at,a,b,c,d\n007,2024-01-02,1.50,,web,false\n')
    expect(await eventsOf(path, { key: 'id', time: 'at' })).toEqual([
      { customer: '007', time: '2024-01-02', features: { a: 1.5, c: 'web', d: false } },
    ])
    expect(await eventsOf(path, { key: 'id', features: ['c'] })).toEqual([{ customer: '007', features: { c: 'web' } }])
  })

  it('keep what only the pipeline can refuse, for its dead letters', async () => {
    const path = fileOf('odd.csv', 'customer,a\n,NaN\n')
    expect(await eventsOf(path)).toEqual([{ customer: null, features: { a: 'NaN' } }])
  })

  it('know their line', async () => {
    const path = fileOf('lines.ndjson', '\n{"customer":"a"}\n\n{"customer":"b"}\n')
    const lines: number[] = []
    for await (const batch of readEvents(path)) lines.push(...batch.map(({ line }) => line))
    expect(lines).toEqual([2, 4])
  })

  it('need the column of the key', async () => {
    const path = fileOf('nokey.csv', 'id,a\n1,2\n')
    await expect(eventsOf(path)).rejects.toThrow(/expected a column "customer" .*, got id, a\. Name it with --key/)
  })
})
