import {
  AclOperations,
  type Connection,
  endTxnV4,
  findErrorBy,
  heartbeatV4,
  metadataV12,
  offsetFetchV9,
  type ResponseError,
} from '@platformatic/kafka'
import type { KafkaOptions } from '../options.ts'
import { clientOptions } from './client-options.ts'
import { connect } from './connect.ts'

/** A right on one topic, group or transactional id, named as Kafka's tools name it. */
export interface KafkaRight {
  readonly resource: 'topic' | 'group' | 'transactional-id'
  readonly name: string
  /** `prefixed`: on every resource whose name begins with `name`. */
  readonly pattern: 'literal' | 'prefixed'
  readonly operation: 'Read' | 'Write' | 'Create' | 'Describe' | 'DescribeConfigs' | 'AlterConfigs'
}

const bits = {
  Read: AclOperations.READ,
  Write: AclOperations.WRITE,
  Create: AclOperations.CREATE,
  Describe: AclOperations.DESCRIBE,
  DescribeConfigs: AclOperations.DESCRIBE_CONFIGS,
  AlterConfigs: AclOperations.ALTER_CONFIGS,
} as const

const NO_PRODUCER = -1n

/**
 * Those of the wanted rights that the cluster would refuse this principal. Changes nothing: of a topic the broker is asked for the allowed
 * operations; of a group and a transactional id it is asked something that it refuses for another reason where the right is there.
 * Topics that do not exist are passed over.
 * @throws LogError when no broker can be reached, or it does not let this principal in
 */
export async function missingRights(options: KafkaOptions, wanted: readonly KafkaRight[]): Promise<KafkaRight[]> {
  const connection = await connect(options.brokers, clientOptions(options))
  try {
    const missing: KafkaRight[] = []
    for (const right of wanted) if (!(await holds(connection, right))) missing.push(right)
    return missing
  } finally {
    await connection.close()
  }
}

async function holds(connection: Connection, { resource, name, operation }: KafkaRight): Promise<boolean> {
  if (resource === 'topic') return topicAllows(connection, name, operation)
  if (resource === 'transactional-id')
    return allowed('TRANSACTIONAL_ID', endTxnV4.api.async(connection, name, NO_PRODUCER, 0, false))
  return operation === 'Read'
    ? allowed('GROUP', heartbeatV4.api.async(connection, name, 0, 'nobody', null))
    : allowed('GROUP', offsetFetchV9.api.async(connection, [{ groupId: name, memberEpoch: -1, topics: [] }], false))
}

async function topicAllows(connection: Connection, name: string, operation: KafkaRight['operation']): Promise<boolean> {
  try {
    const { topics } = await metadataV12.api.async(connection, [name], false, true)
    return topics.every(({ topicAuthorizedOperations }) => (topicAuthorizedOperations & (1 << bits[operation])) !== 0)
  } catch (error) {
    return !isDenied(error, 'TOPIC')
  }
}

async function allowed(resource: string, request: Promise<unknown>): Promise<boolean> {
  try {
    await request
    return true
  } catch (error) {
    if (isDenied(error, resource)) return false
    if ((error as Partial<ResponseError>).code === 'PLT_KFK_RESPONSE') return true
    throw error
  }
}

const isDenied = (error: unknown, resource: string): boolean =>
  findErrorBy(error as Error, 'apiId', `${resource}_AUTHORIZATION_FAILED`) !== null
