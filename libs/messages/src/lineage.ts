import { type Codec, createCodec } from './codec.ts'
import { longOf, numberOf, textOf } from './fields.ts'
import { MessageError } from './message-error.ts'
import type { LineageEvent, LineageKind } from './messages.ts'

interface AvroLineageEvent {
  model: string
  snapshotVersion: bigint
  kind: string
  parents: string[]
  children: string[]
  time: bigint
}

const kinds: readonly string[] = ['birth', 'death', 'split', 'merge', 'drift'] satisfies LineageKind[]

function kindOf(kind: string): LineageKind {
  if (kinds.includes(kind)) return kind as LineageKind
  throw new MessageError(
    `kind: expected one of ${kinds.join(', ')}, got ${JSON.stringify(kind)}. A newer release may have written it: upgrade this reader.`,
  )
}

/** Topic `eddy.lineage.v1`. */
export const lineageCodec: Codec<LineageEvent> = createCodec<LineageEvent, AvroLineageEvent>(
  'eddy.lineage.v1-value',
  event => ({
    model: textOf(event.model, 'model'),
    snapshotVersion: event.snapshotVersion,
    kind: kindOf(event.kind),
    parents: event.parents.map(id => textOf(id, 'parents')),
    children: event.children.map(id => textOf(id, 'children')),
    time: longOf(event.time, 'time'),
  }),
  record => ({
    model: record.model,
    snapshotVersion: record.snapshotVersion,
    kind: kindOf(record.kind),
    parents: record.parents,
    children: record.children,
    time: numberOf(record.time, 'time'),
  }),
)
