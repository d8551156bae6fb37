import { collectFeatures, type FeatureMatrix, type FeatureStream, InputError } from '@eddy/records'

/** A matrix, and to whom its rows belong. */
export interface GroupedMatrix {
  readonly matrix: FeatureMatrix
  /** shape (rows): the number of each row's group, 0 …; undefined where the input has no such column */
  readonly groups: Int32Array | undefined
}

/**
 * The matrix of a stream, and to which group each row belongs.
 * @param group the column whose equal values are a group: `customer`, if there is one, where it is undefined; false for none
 * @throws InputError where a column that was named is not there
 */
export async function collectGrouped(
  stream: FeatureStream,
  group: string | boolean | undefined,
): Promise<GroupedMatrix> {
  const name = typeof group === 'string' ? group : 'customer'
  const numbers = new Map<unknown, number>()
  const groups: number[] = []
  let grouped = group !== false
  async function* batches() {
    for await (const batch of stream.batches) {
      if (grouped && !batch.records[0]!.names().includes(name)) {
        if (typeof group === 'string')
          throw new InputError(
            `--group: expected a column of the input, got ${name}. It has ${batch.records[0]!.names().join(', ')}.`,
          )
        grouped = false
      }
      for (const record of grouped ? batch.records : []) {
        const key = record.get(name)
        // Who is not named is nobody else.
        const known = key === undefined || key === null ? undefined : numbers.get(String(key))
        const number = known ?? numbers.size
        if (known === undefined) numbers.set(key === undefined || key === null ? Symbol() : String(key), number)
        groups.push(number)
      }
      yield batch
    }
  }
  const matrix = await collectFeatures({ ...stream, columns: () => stream.columns(), batches: batches() })
  return { matrix, groups: grouped ? Int32Array.from(groups) : undefined }
}
