import type { OutgoingRecord } from '@eddy/log'
import { type LineageKind, lineageCodec } from '@eddy/messages'

/** The lineage of segments that came and went when components were replaced. */
export function changedSegments(
  { born, gone }: { readonly born: readonly string[]; readonly gone: readonly string[] },
  { model, snapshotVersion, time }: { readonly model: string; readonly snapshotVersion: bigint; readonly time: number },
): OutgoingRecord[] {
  const key = new TextEncoder().encode(model)
  const record = (kind: LineageKind, parents: readonly string[], children: readonly string[]): OutgoingRecord => ({
    key,
    value: lineageCodec.encode({ model, snapshotVersion, kind, parents, children, time }),
    partition: 0,
  })
  return [...gone.map(id => record('death', [id], [])), ...born.map(id => record('birth', [], [id]))]
}
