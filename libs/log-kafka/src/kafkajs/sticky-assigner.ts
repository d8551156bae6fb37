import { balance } from '@eddy/log/adapter'
import type { Cluster, PartitionAssigner } from 'kafkajs'
import { IncompleteAnswer } from '../complete-answer.ts'
import { AssignerProtocol } from './kafkajs.ts'

/** How many partitions a topic that is there has. Metadata without it say nothing: a group that took that for none would read nothing. */
async function partitionsOf(cluster: Cluster, topic: string): Promise<number> {
  if (cluster.findTopicPartitionMetadata(topic).length === 0) await cluster.refreshMetadata()
  const { length } = cluster.findTopicPartitionMetadata(topic)
  if (length > 0) return length
  throw new IncompleteAnswer(`partitions of ${topic}: expected one or more, got none. The topic may be gone.`)
}

/**
 * Assigner of a group on one topic that leaves partitions where they are, as far as the shares are even: each member
 * says, as user data, what it holds. `beforeJoin` is awaited by a repaired kafkajs before each join.
 */
export function stickyAssigner(
  topic: string,
  held: () => readonly number[],
  beforeJoin: () => Promise<void>,
): PartitionAssigner {
  return ({ cluster }) =>
    ({
      name: 'EddySticky',
      version: 0,
      beforeJoin,
      protocol: ({ topics }: { topics: string[] }) => ({
        name: 'EddySticky',
        metadata: AssignerProtocol.MemberMetadata.encode({
          version: 0,
          topics,
          userData: Buffer.from(JSON.stringify(held())),
        }),
      }),
      async assign({ members }: { members: { memberId: string; memberMetadata: Buffer }[] }) {
        const partitions = await partitionsOf(cluster, topic)
        const owners = new Map<number, string>()
        for (const { memberId, memberMetadata } of members) {
          const said = AssignerProtocol.MemberMetadata.decode(memberMetadata)?.userData.toString()
          for (const partition of said ? (JSON.parse(said) as number[]) : [])
            if (partition < partitions) owners.set(partition, memberId)
        }
        const ids = members.map(({ memberId }) => memberId).sort()
        const target = balance(partitions, ids, owners)
        return ids.map(memberId => {
          const mine = [...target].filter(([, owner]) => owner === memberId).map(([partition]) => partition)
          const assignment = { [topic]: mine.sort((a, b) => a - b) }
          return {
            memberId,
            memberAssignment: AssignerProtocol.MemberAssignment.encode({
              version: 0,
              assignment,
              userData: Buffer.alloc(0),
            }),
          }
        })
      },
    }) as ReturnType<PartitionAssigner>
}
