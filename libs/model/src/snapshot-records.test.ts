import type { OutgoingRecord, StoredRecord } from '@eddy/log'
import { type Snapshot, snapshotCodec } from '@eddy/messages'
import { describe, expect, it } from 'vitest'
import { SnapshotAssembler, snapshotRecords } from './snapshot-records.ts'
import { firstSnapshot } from './testing.ts'

const first = firstSnapshot()
const version = (v: bigint): Snapshot => ({ ...first, version: v })
const stored = (records: readonly OutgoingRecord[]): StoredRecord[] =>
  records.map(({ key, value, headers = {} }, offset) => ({ offset, key, value, headers, timestamp: 0 }))
const read = (
  records: readonly OutgoingRecord[],
  options: { readonly model?: string } = { model: 'test' },
): { versions: bigint[]; damage: string[] } => {
  const damage: string[] = []
  const assembler = new SnapshotAssembler(options.model, message => damage.push(message))
  return { versions: stored(records).flatMap(record => assembler.add(record)?.version ?? []), damage }
}
/** What compaction leaves: the newest record of each key, in the order of the topic. */
const compacted = (records: readonly OutgoingRecord[]): OutgoingRecord[] =>
  records.filter((record, i) => !records.slice(i + 1).some(later => Buffer.compare(later.key!, record.key!) === 0))

describe('snapshotRecords', () => {
  it('splits what is too large, and the parts give the same bytes', () => {
    const records = snapshotRecords(version(2n), 200)
    expect(records.length).toBeGreaterThan(3)
    expect(records.every(({ value }) => value!.length <= 200)).toBe(true)
    const assembler = new SnapshotAssembler('test', () => {})
    const whole = stored(records)
      .map(record => assembler.add(record))
      .find(snapshot => snapshot !== undefined)
    expect(snapshotCodec.encode(whole as Snapshot)).toEqual(snapshotCodec.encode(version(2n)))
  })

  it('never mixes versions, whatever compaction leaves', () => {
    const records = [version(2n), version(3n), version(4n)].flatMap(snapshot => snapshotRecords(snapshot, 200))
    expect(read(compacted(records)).versions).toEqual([4n])
    const torn = records.slice(0, -1)
    expect(read(torn).versions).toEqual([2n, 3n])
    expect(read(compacted(torn)).versions).toEqual([])
  })

  it('keeps a checkpoint to fall back on when the newest is damaged', () => {
    const records = [version(17n), version(18n), version(19n)].flatMap(snapshot => snapshotRecords(snapshot, 1_000_000))
    const left = compacted(records)
    left[left.length - 1] = { ...left.at(-1)!, value: left.at(-1)!.value!.slice(0, 40) }
    const { versions, damage } = read(left)
    expect(versions).toEqual([17n])
    expect(damage).toEqual([expect.stringContaining('snapshot test at offset')])
  })

  it('keeps every sixteenth, and each with components learned anew, as a checkpoint; a provisional one never', () => {
    const kept = (change: Partial<Snapshot>) => {
      const keys = snapshotRecords({ ...first, epoch: 1n, ...change }, 1_000_000).map(({ key }) =>
        Buffer.from(key!).toString(),
      )
      expect(keys.at(-1)).toBe('test')
      return keys.includes('test@checkpoint')
    }
    expect([1n, 2n, 16n, 17n, 18n, 33n].map(v => kept({ version: v }))).toEqual([true, false, false, true, false, true])
    expect(kept({ version: 20n, epoch: 20n })).toBe(true)
    expect(kept({ version: 21n, epoch: 20n })).toBe(false)
    expect(kept({ version: 17n, provisional: true })).toBe(false)
    expect(kept({ version: 20n, epoch: 20n, provisional: true })).toBe(false)
  })

  it('reads one model, or any', () => {
    const records = snapshotRecords({ ...first, model: 'other', version: 5n }, 200)
    expect(read(records).versions).toEqual([])
    expect(read(records, {}).versions).toEqual([5n])
  })
})
