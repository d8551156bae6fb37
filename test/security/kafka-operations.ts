import {
  AclOperations,
  AclPermissionTypes,
  alterUserScramCredentialsV0,
  ConfigResourceTypes,
  type Connection,
  createAclsV3,
  createPartitionsV3,
  createTopicsV7,
  deleteGroupsV2,
  deleteTopicsV6,
  describeAclsV3,
  describeConfigsV4,
  describeTransactionsV0,
  fetchV12,
  findErrorBy,
  heartbeatV4,
  IncrementalAlterConfigOperationTypes,
  incrementalAlterConfigsV1,
  initProducerIdV5,
  metadataV12,
  offsetFetchV9,
  produceV11,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka'

export type Resource = 'topic' | 'group' | 'transactional-id' | 'cluster'
type Attempt = (connection: Connection, name: string) => Promise<unknown>

const partition = {
  partition: 0,
  currentLeaderEpoch: -1,
  fetchOffset: 0n,
  lastFetchedEpoch: -1,
  partitionMaxBytes: 1024,
}
const newTopic = (name: string) => ({ name, numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] })
const retention = {
  name: 'retention.ms',
  value: '-1',
  configOperation: IncrementalAlterConfigOperationTypes.SET,
} as const
const brokerLevel = { resourceType: ConfigResourceTypes.BROKER, resourceName: '1' }

/**
 * Every operation a client can ask of a broker, by the right it needs, each as the request itself. What would change more than records is
 * only validated, or is refused for another reason after the right has been checked; deleting a topic is meant.
 */
export const operations: Readonly<Record<Resource, Readonly<Record<string, Attempt>>>> = {
  topic: {
    Describe: (connection, name) => metadataV12.api.async(connection, [name], false),
    // What the library calls a topic's id is its name in this version.
    Read: (connection, topic) =>
      fetchV12.api.async(connection, 10, 0, 1024, 1, 0, -1, [{ topicId: topic, partitions: [partition] }], [], ''),
    Write: (connection, topic) =>
      produceV11.api.async(
        connection,
        -1,
        5000,
        [{ topic, partition: 0, key: Buffer.from('k'), value: Buffer.from('v') }],
        {
          producerId: -1n,
          producerEpoch: -1,
          compression: 'none',
        },
      ),
    Create: (connection, name) => createTopicsV7.api.async(connection, [newTopic(name)], 5000, true),
    Alter: (connection, name) =>
      createPartitionsV3.api.async(connection, [{ name, count: 9, assignments: null }], 5000, true),
    DescribeConfigs: (connection, resourceName) =>
      describeConfigsV4.api.async(connection, [{ resourceType: ConfigResourceTypes.TOPIC, resourceName }]),
    AlterConfigs: (connection, resourceName) =>
      incrementalAlterConfigsV1.api.async(
        connection,
        [{ resourceType: ConfigResourceTypes.TOPIC, resourceName, configs: [retention] }],
        true,
      ),
    Delete: (connection, name) => deleteTopicsV6.api.async(connection, [{ name, topicId: null }], 5000),
  },
  group: {
    Describe: (connection, groupId) =>
      offsetFetchV9.api.async(connection, [{ groupId, memberEpoch: -1, topics: [] }], false),
    Read: (connection, groupId) => heartbeatV4.api.async(connection, groupId, 0, 'nobody', null),
    Delete: (connection, groupId) => deleteGroupsV2.api.async(connection, [groupId]),
  },
  'transactional-id': {
    Describe: (connection, id) => describeTransactionsV0.api.async(connection, [id]),
    Write: (connection, id) => initProducerIdV5.api.async(connection, id, 1000, -1n, -1),
  },
  cluster: {
    Create: connection => createTopicsV7.api.async(connection, [newTopic('eddy.of-no-role.v1')], 5000, true),
    Describe: connection =>
      describeAclsV3.api.async(connection, {
        resourceType: ResourceTypes.ANY,
        resourceName: null,
        resourcePatternType: ResourcePatternTypes.ANY,
        principal: null,
        host: null,
        operation: AclOperations.ANY,
        permissionType: AclPermissionTypes.ANY,
      }),
    'Alter (ACLs)': connection =>
      createAclsV3.api.async(connection, [
        {
          resourceType: ResourceTypes.CLUSTER,
          resourceName: 'kafka-cluster',
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:intruder',
          host: '*',
          operation: AclOperations.ALL,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ]),
    'Alter (users)': connection =>
      alterUserScramCredentialsV0.api.async(
        connection,
        [],
        [
          {
            name: 'intruder',
            mechanism: 2,
            iterations: 4096,
            salt: Buffer.alloc(16, 1),
            saltedPassword: Buffer.alloc(64, 1),
          },
        ],
      ),
    DescribeConfigs: connection => describeConfigsV4.api.async(connection, [brokerLevel]),
    AlterConfigs: connection =>
      incrementalAlterConfigsV1.api.async(
        connection,
        [{ ...brokerLevel, configs: [{ ...retention, name: 'log.retention.ms' }] }],
        true,
      ),
    IdempotentWrite: connection => initProducerIdV5.api.async(connection, null, 1000, -1n, -1),
  },
}

const denials = ['TOPIC', 'GROUP', 'CLUSTER', 'TRANSACTIONAL_ID'].map(what => `${what}_AUTHORIZATION_FAILED`)

/** What a broker says when it would have done it, had the request made sense. */
const afterTheCheck = [
  'TOPIC_ALREADY_EXISTS',
  'INVALID_PARTITIONS',
  'UNKNOWN_MEMBER_ID',
  'GROUP_ID_NOT_FOUND',
  'TRANSACTIONAL_ID_NOT_FOUND',
  'NON_EMPTY_GROUP',
  'INVALID_RECORD',
]

/** Whether the broker did what was asked. @throws when it says neither yes nor "not allowed" */
export async function allows(connection: Connection, attempt: Attempt, name: string): Promise<boolean> {
  try {
    await attempt(connection, name)
    return true
  } catch (error) {
    const says = (id: string): boolean => findErrorBy(error as Error, 'apiId', id) !== null
    if (denials.some(says)) return false
    if (afterTheCheck.some(says)) return true
    throw new Error(`${name}: expected yes or "not allowed" of ${attempt}, got another error`, { cause: error })
  }
}
