import type { CheckedPartition } from './chain.ts'
import { Store } from './store.ts'

/**
 * Reads everything a log holds and compares it with its checksums; also while another process writes to it.
 * @returns what there is, by partition
 * @throws LogError at the first that is damaged or missing, naming it
 */
export async function verifyLog(directory: string): Promise<readonly CheckedPartition[]> {
  const store = new Store(directory, { readOnly: true, clock: Date.now, maxBytes: undefined })
  try {
    return store.verify()
  } finally {
    await store.close()
  }
}
