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
 */
export function extend(ledger: Ledger, range: LearnedRange): Ledger | undefined {
  const entry = ledger.get(range.partition) ?? { partition: range.partition, next: 0, events: 0n, offsetsHash: 0n }
  if (range.from !== entry.next || range.to <= range.from) return undefined
  return new Map(ledger).set(range.partition, {
    partition: range.partition,
    next: range.to,
    events: entry.events + BigInt(range.events),
    offsetsHash: (entry.offsetsHash + range.offsetsHash) % modulus,
  })
}
