import { type Codec, createCodec, headerLength, writeHeader } from './codec.ts'
import { longOf, numberOf, textOf, wholeOf } from './fields.ts'
import { bytesOfFloats, floatsOfBytes } from './little-endian.ts'
import { MessageError } from './message-error.ts'
import type { Label } from './messages.ts'
import { type Room, textRoom, writeFloats, writeText } from './slab.ts'
import { longRoom, writeLong } from './varint.ts'

interface AvroLabel {
  customer: string
  time: bigint
  model: string
  snapshotVersion: bigint
  segment: string
  posterior: Buffer
  logDensity: number
  sourcePartition: number
  sourceOffset: bigint
  provisional: boolean
}

/** Topic `eddy.labels.v1`. A scorer, which writes many labels of one snapshot, uses `LabelEncoder`. */
export const labelCodec: Codec<Label> = createCodec<Label, AvroLabel>(
  'eddy.labels.v1-value',
  label => ({
    customer: textOf(label.customer, 'customer'),
    time: longOf(label.time, 'time'),
    model: textOf(label.model, 'model'),
    snapshotVersion: label.snapshotVersion,
    segment: textOf(label.segment, 'segment'),
    posterior: bytesOfFloats(label.posterior),
    logDensity: label.logDensity,
    sourcePartition: label.sourcePartition,
    sourceOffset: longOf(label.sourceOffset, 'sourceOffset'),
    provisional: label.provisional,
  }),
  record => ({
    customer: record.customer,
    time: numberOf(record.time, 'time'),
    model: record.model,
    snapshotVersion: record.snapshotVersion,
    segment: record.segment,
    posterior: floatsOfBytes(record.posterior, 'posterior'),
    logDensity: record.logDensity,
    sourcePartition: record.sourcePartition,
    sourceOffset: numberOf(record.sourceOffset, 'sourceOffset'),
    provisional: record.provisional,
  }),
)

/** What all labels of one snapshot share. */
export interface LabelContext {
  readonly model: string
  readonly snapshotVersion: bigint
  /** shape (K): segment ids in the order of the components */
  readonly segments: readonly string[]
  readonly provisional: boolean
}

/** Encodes the labels of one snapshot; the bytes are those of `labelCodec`. */
export class LabelEncoder {
  readonly components: number
  readonly #provisional: boolean
  /** Avro bytes of model and version, then one segment id: shape (K) */
  readonly #middles: readonly Uint8Array[]

  constructor(context: LabelContext) {
    this.components = context.segments.length
    this.#provisional = context.provisional
    if (BigInt.asIntN(64, context.snapshotVersion) !== context.snapshotVersion) {
      throw new MessageError(`snapshotVersion: expected 64 bits, got ${context.snapshotVersion}.`)
    }
    const template: Label = {
      customer: '',
      time: 0,
      model: context.model,
      snapshotVersion: context.snapshotVersion,
      segment: '',
      posterior: new Float64Array(),
      logDensity: 0,
      sourcePartition: 0,
      sourceOffset: 0,
      provisional: false,
    }
    // An empty label is: header, empty customer (1 byte), time 0 (1), model and version, empty segment (1), empty posterior (1),
    // f64 (8), 0 (1), 0 (1), false (1).
    const start = labelCodec.encode(template).subarray(headerLength + 2, -13)
    this.#middles = context.segments.map(segment => {
      const middle = Buffer.alloc(start.length + textRoom(segment))
      middle.set(start)
      return middle.subarray(0, writeText(middle, segment, start.length, 'segment'))
    })
  }

  /**
   * Writes one label into `room`.
   * @param customer UTF-8 bytes: from `from` to `to` of these
   * @param posteriors shape (rows, K), row-major
   * @param row which row of `posteriors`
   * @param component its largest posterior: the segment
   * @param logDensity log p(x), nats, in the user's units
   * @returns the position after it
   */
  write(
    room: Room,
    customer: Uint8Array,
    from: number,
    to: number,
    time: number,
    posteriors: Float64Array,
    row: number,
    component: number,
    logDensity: number,
    sourcePartition: number,
    sourceOffset: number,
  ): number {
    const middle = this.#middles[component]
    const components = this.components
    if (!middle || posteriors.length < (row + 1) * components) {
      throw new MessageError(
        `label: expected a component of 0 … ${components - 1} and ${components} posteriors in row ${row}, got component ${component} and ${posteriors.length} values.`,
      )
    }
    room.reserve(headerLength + to - from + middle.length + 5 * longRoom + 8 * (components + 1) + 1)
    const { bytes, view } = room
    let at = room.at
    writeHeader(bytes, at, labelCodec.id)
    at = writeLong(bytes, at + headerLength, to - from)
    for (let i = from; i < to; i++) bytes[at++] = customer[i]!
    at = writeLong(bytes, at, wholeOf(time, 'time'))
    for (let i = 0; i < middle.length; i++) bytes[at++] = middle[i]!
    at = writeLong(bytes, at, 8 * components)
    at = writeFloats(view, posteriors, row * components, (row + 1) * components, at)
    view.setFloat64(at, logDensity, true)
    at = writeLong(bytes, at + 8, wholeOf(sourcePartition, 'sourcePartition'))
    at = writeLong(bytes, at, wholeOf(sourceOffset, 'sourceOffset'))
    bytes[at] = this.#provisional ? 1 : 0
    return at + 1
  }
}
