import type { Cluster } from 'kafkajs'
import { expect, test } from 'vitest'
import { IncompleteAnswer } from '../complete-answer.ts'
import { AssignerProtocol } from './kafkajs.ts'
import { stickyAssigner } from './sticky-assigner.ts'

/** Partitions that a sole member gets, where a client has metadata of the topic only after so many refreshes. */
async function assigned(refreshes: number): Promise<readonly number[]> {
  let left = refreshes
  const cluster = {
    findTopicPartitionMetadata: () => (left > 0 ? [] : [{ partitionId: 0 }, { partitionId: 1 }]),
    refreshMetadata: async () => void left--,
  } as unknown as Cluster
  const assigner = stickyAssigner(
    't',
    () => [],
    async () => {},
  )({ cluster } as never)
  const { metadata } = assigner.protocol({ topics: ['t'] })
  const [member] = await assigner.assign({ members: [{ memberId: 'me', memberMetadata: metadata }], topics: ['t'] })
  return AssignerProtocol.MemberAssignment.decode(member!.memberAssignment)!.assignment.t!
}

test('a member that does not know the topic asks for it before it shares out, and never shares out nothing', async () => {
  expect(await assigned(0)).toEqual([0, 1])
  expect(await assigned(1)).toEqual([0, 1])
  await expect(assigned(2)).rejects.toThrow(IncompleteAnswer)
})
