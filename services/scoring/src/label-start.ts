import type { From, PartitionOffsets } from '@eddy/log'

/** Where a stream of labels begins, or why it cannot: the status, and an error for its answer. */
export type LabelStart =
  | { readonly from: From }
  | { readonly status: 400 | 410 | 416; readonly error: string; readonly partitions: readonly PartitionOffsets[] }

/**
 * @param text `latest`, `earliest`, an offset for all partitions, or one for each, in order, with commas between
 * @param partitions what is stored
 */
export function labelStart(text: string, partitions: readonly PartitionOffsets[]): LabelStart {
  if (text === 'latest' || text === 'earliest') return { from: text }
  const refuse = (status: 400 | 410 | 416, got: string): LabelStart => ({
    status,
    error: `from: expected latest, earliest, or an offset for ${partitions.map(rangeOf).join(', ')}, got ${got}`,
    partitions,
  })
  const parts = text.split(',')
  if (!parts.every(part => /^-?\d+(\.\d+)?$/.test(part)) || ![1, partitions.length].includes(parts.length))
    return refuse(400, JSON.stringify(text))
  const offsets = partitions.map((_, i) => Number(parts[parts.length === 1 ? 0 : i]))
  const gone = partitions.find(({ start }, i) => 0 <= offsets[i]! && offsets[i]! < start)
  const beyond = partitions.find(
    ({ end }, i) => !(Number.isInteger(offsets[i]) && 0 <= offsets[i]! && offsets[i]! <= end),
  )
  if (beyond !== undefined) return refuse(416, text)
  if (gone !== undefined) return refuse(410, `${text}: retention has removed labels from there on`)
  return { from: new Map(partitions.map(({ partition }, i) => [partition, offsets[i]!])) }
}

const rangeOf = ({ partition, start, end }: PartitionOffsets): string => `partition ${partition} (${start} to ${end})`
