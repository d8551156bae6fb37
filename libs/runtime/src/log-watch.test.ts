import { tmpdir } from 'node:os'
import type { Upkeep } from '@eddy/log'
import { Subject } from 'rxjs'
import { expect, it } from 'vitest'
import { LogWatch } from './log-watch.ts'
import { createMetrics } from './metrics.ts'

it('tells how much a log takes, its commits, and what retention drops, from nothing on', async () => {
  const metrics = createMetrics()
  const upkeep = new Subject<Upkeep>()
  const room = async () => ({ bytes: 5000, least: 100, full: false, taken: 4096, ahead: 512 })
  const log = {
    capabilities: {
      pipelined: true,
      ahead: true,
      erasure: undefined,
      memory: undefined,
      identity: undefined,
      room,
      upkeep,
    },
  }
  const watch = new LogWatch({ log, directory: tmpdir(), topics: ['events', 'labels'], metrics })
  await watch.look()
  const text = async () => (await metrics.registry.metrics()).split('\n').filter(line => line.startsWith('eddy_log_'))
  const before = await text()
  for (const line of [
    'eddy_log_bytes 4096',
    'eddy_log_wal_bytes 512',
    'eddy_log_room_bytes 5000',
    'eddy_log_dropped_records_total{topic="events"} 0',
    'eddy_log_dropped_bytes_total{topic="labels"} 0',
  ])
    expect(before).toContain(line)
  expect(before.find(line => line.startsWith('eddy_log_free_bytes '))).toMatch(/ [1-9]/)
  upkeep.next({ kind: 'committed', seconds: 0.02 })
  upkeep.next({ kind: 'dropped', topic: 'events', partition: 0, from: 3, to: 10, bytes: 700 })
  upkeep.next({ kind: 'dropped', topic: 'events', partition: 1, from: 0, to: 2, bytes: 200 })
  const after = await text()
  for (const line of [
    'eddy_log_commit_seconds_count 1',
    'eddy_log_dropped_records_total{topic="events"} 9',
    'eddy_log_dropped_bytes_total{topic="events"} 900',
  ])
    expect(after).toContain(line)
  watch.stop()
  upkeep.next({ kind: 'committed', seconds: 0.02 })
  expect(await text()).toContain('eddy_log_commit_seconds_count 1')
})
