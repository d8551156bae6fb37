import type { PartitionOffsets } from '@eddy/log'
import type { KafkaAdmin } from './driver.ts'

/** Start and end of each partition that a topic has now, in partition order. */
export async function offsetsOf(admin: KafkaAdmin, topic: string): Promise<PartitionOffsets[]> {
  return admin.offsets(topic, await partitionsOf(admin, topic))
}

/** The partitions that a topic has now. */
export const partitionsOf = async (admin: Pick<KafkaAdmin, 'partitions'>, topic: string): Promise<number[]> => [
  ...Array(await admin.partitions(topic)).keys(),
]
