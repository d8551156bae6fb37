import type { LedgerEntry, StatisticsMessage } from '@eddy/messages'

/** What was learned, by partition of the features topic. */
export type Ledger = ReadonlyMap<number, LedgerEntry>

const modulus = 1n << 64n

export const ledgerOf = (entries: readonly LedgerEntry[]): Ledger =>
  new Map(entries.map(entry => [entry.partition, entry]))

/** Entries in partition order, so that equal ledgers have equal bytes. */
export const ledgerEntries = (ledger: Ledger): LedgerEntry[] =>
  [...ledger.values()].sort((a, b) => a.partition - b.partition)

/** Offset at which the next range of a partition has to begin. */
export const nextOffset = (ledger: Ledger, partition: number): number => ledger.get(partition)?.next ?? 0

export type LearnedRange = Pick<StatisticsMessage, 'partition' | 'from' | 'to' | 'events' | 'offsetsHash'>

/**
 * The ledger after a range, or undefined where the range does not begin exactly at the ledger's next offset: a duplicate,
 * a zombie's work or a gap. This check alone makes learning exactly-once.
 * @param start Where the partition begins by now. A range that begins after the ledger's end is taken where all between them is gone: what of
 * that this model was to learn is skipped.
 */
export function extend(ledger: Ledger, range: LearnedRange, start = 0): Ledger | undefined {
  const known = ledger.get(range.partition)
  const entry = known ?? { partition: range.partition, next: 0, events: 0n, offsetsHash: 0n }
  const gap = range.from - entry.next
  if (gap < 0 || (gap > 0 && range.from > start) || range.to <= range.from) return undefined
  const skipped = (entry.skipped ?? 0) + (known === undefined ? 0 : gap)
  return new Map(ledger).set(range.partition, {
    ...(skipped === 0 ? {} : { skipped }),
    partition: range.partition,
    next: range.to,
    events: entry.events + BigInt(range.events),
    offsetsHash: (entry.offsetsHash + range.offsetsHash) % modulus,
  })
}
