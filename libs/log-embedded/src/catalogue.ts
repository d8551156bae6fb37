import type { SQLOutputValue } from 'node:sqlite'
import { LogError } from '@eddy/log'
import { checksum } from './checksum.ts'

interface CreatedTopic {
  readonly name: string
  readonly partitions: number
  readonly cleanup: string
}

interface CreatedPartition {
  readonly id: number
  readonly topic: string
  readonly number: number
}

/** Of what is never changed of topics and partitions, in any order. */
export const catalogueChecksum = (topics: readonly CreatedTopic[], partitions: readonly CreatedPartition[]): number =>
  checksum(
    ...topics.map(({ name, partitions, cleanup }) => `${name} ${partitions} ${cleanup}`).sort(),
    ...partitions.map(({ id, topic, number }) => `${id} ${topic} ${number}`).sort(),
  )

/** @throws LogError where a topic or a partition is not as it was created */
export function checkCatalogue(
  file: string,
  topics: readonly CreatedTopic[],
  partitions: readonly CreatedPartition[],
  stored: SQLOutputValue | undefined,
): void {
  if (catalogueChecksum(topics, partitions) !== stored)
    throw new LogError(
      `log ${file}: expected the topics and partitions that were created, got others: the file is damaged. Restore the directory from a backup.`,
    )
}
