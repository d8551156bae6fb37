import type { StoredRecord } from '@eddy/log'
import { labelCodec } from '@eddy/messages'

/**
 * What a label tells of how far a model has labelled a partition: the offset of the feature vector after its own. Undefined for labels of other
 * models, and for what is no label.
 */
export const labelledTo =
  (model: string): ((record: StoredRecord, partition: number) => number | undefined) =>
  ({ value }, partition) => {
    if (value === null) return undefined
    try {
      const label = labelCodec.decode(value)
      return label.model === model && label.sourcePartition === partition ? Number(label.sourceOffset) + 1 : undefined
    } catch {
      return undefined
    }
  }
