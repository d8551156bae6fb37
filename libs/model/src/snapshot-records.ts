import type { OutgoingRecord, StoredRecord } from '@eddy/log'
import { type Snapshot, snapshotCodec } from '@eddy/messages'

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/*
 * Keys of the compacted snapshots topic. `model` is the newest snapshot; `model@checkpoint` an older one, to fall back on
 * when the newest is damaged (the statistics after it are still there and lead to the same model).
 * A snapshot that is larger than a record may be is split: the parts `KEY#1`, `KEY#2`, … first, the head `KEY` last, all
 * published in one atomic step. Each part carries the headers below, so that parts of different versions, which
 * compaction can leave side by side, are never mixed.
 */
const checkpointSuffix = '@checkpoint'
const partHeader = 'eddy-part'
const partsHeader = 'eddy-parts'
const versionHeader = 'eddy-version'

/** One snapshot in this many is kept as the checkpoint too. */
const checkpointEvery = 16n

/** Whether a snapshot is kept as the checkpoint, until the next one is: also each with which components were learned anew. */
export const isCheckpoint = ({ version, epoch, provisional }: Pick<Snapshot, 'version' | 'epoch' | 'provisional'>) =>
  !provisional && (version === epoch || version % checkpointEvery === 1n)

/**
 * A snapshot as records of the snapshots topic, to be published together.
 * @param maxBytes of one record's value
 */
export function snapshotRecords(snapshot: Snapshot, maxBytes: number): OutgoingRecord[] {
  const bytes = snapshotCodec.encode(snapshot)
  const newest = split(snapshot.model, bytes, snapshot.version, maxBytes)
  if (!isCheckpoint(snapshot)) return newest
  return [...split(snapshot.model + checkpointSuffix, bytes, snapshot.version, maxBytes), ...newest]
}

function split(key: string, bytes: Uint8Array, version: bigint, maxBytes: number): OutgoingRecord[] {
  const parts = Math.ceil(bytes.length / maxBytes)
  if (parts <= 1) return [{ key: encoder.encode(key), value: bytes, partition: 0 }]
  const record = (part: number): OutgoingRecord => ({
    key: encoder.encode(part === 0 ? key : `${key}#${part}`),
    value: bytes.subarray(part * maxBytes, (part + 1) * maxBytes),
    headers: {
      [partHeader]: encoder.encode(String(part)),
      [partsHeader]: encoder.encode(String(parts)),
      [versionHeader]: encoder.encode(String(version)),
    },
    partition: 0,
  })
  return [...Array.from({ length: parts - 1 }, (_, i) => record(i + 1)), record(0)]
}

/** Puts snapshots of one model (or of any) together again, from records in the order of the topic. */
export class SnapshotAssembler {
  readonly #model: string | undefined
  readonly #onDamage: (message: string) => void
  readonly #parts = new Map<string, { readonly version: string; readonly bytes: Uint8Array }>()

  /** @param onDamage told of a snapshot that cannot be decoded; it is passed over */
  constructor(model: string | undefined, onDamage: (message: string) => void) {
    this.#model = model
    this.#onDamage = onDamage
  }

  /** The snapshot that this record completes, if it does. */
  add({ key, value, headers, offset }: StoredRecord): Snapshot | undefined {
    if (key === null || value === null) return undefined
    const name = decoder.decode(key)
    const split = headers[partsHeader] !== undefined
    const part = split ? Number(decoder.decode(headers[partHeader])) : 0
    const head = part === 0 ? name : name.slice(0, name.lastIndexOf('#'))
    const model = head.endsWith(checkpointSuffix) ? head.slice(0, -checkpointSuffix.length) : head
    if (this.#model !== undefined && this.#model !== model) return undefined
    if (!split) return this.#decode(value, name, offset)
    const version = decoder.decode(headers[versionHeader])
    if (part > 0) {
      this.#parts.set(name, { version, bytes: value.slice() })
      return undefined
    }
    const count = Number(decoder.decode(headers[partsHeader]))
    const others = Array.from({ length: count - 1 }, (_, i) => this.#parts.get(`${head}#${i + 1}`))
    // A head whose parts a newer version has replaced: that version's own head follows.
    if (others.some(other => other?.version !== version)) return undefined
    return this.#decode(Buffer.concat([value, ...others.map(other => other!.bytes)]), name, offset)
  }

  #decode(bytes: Uint8Array, name: string, offset: number): Snapshot | undefined {
    try {
      return snapshotCodec.decode(bytes)
    } catch (error) {
      this.#onDamage(`snapshot ${name} at offset ${offset}: ${(error as Error).message}`)
      return undefined
    }
  }
}
