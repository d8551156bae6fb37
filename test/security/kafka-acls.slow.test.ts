import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { loadConfiguration } from '@eddy/runtime'
import { configurationSchema, type Role, rightsOf, roles } from '@eddy/settings'
import { Connection } from '@platformatic/kafka'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { EddyProcess, temporaryFolder } from '../eddy-process.ts'
import { describeWithCluster } from '../fixtures/kafka.ts'
import { writeKafkaTools } from '../fixtures/kafka-tools.ts'
import { postEvents } from '../post-events.ts'
import { syntheticEvents } from '../synthetic-events.ts'
import { allows, operations, type Resource } from './kafka-operations.ts'

const run = promisify(execFile)
const folder = temporaryFolder()
afterAll(() => folder.remove())
const file = (name: string): string => join(folder.path, name)
const password = (role: string): string => `secret-of-${role}`

const configuration = loadConfiguration(configurationSchema, {})
const { topics } = configuration
const rights = rightsOf(configuration)

writeFileSync(
  file('eddy.yaml'),
  `model: { components: 3, batchSize: 128, maxWaitMs: 200, warmUp: { events: 500 } }
features: [{ name: x }, { name: y }]
log: { kind: kafka, partitions: 2 }
`,
)

/** The kind of each resource and every name that is tried, those of nobody among them. */
const names: Readonly<Record<Resource, readonly string[]>> = {
  topic: [...Object.values(topics), 'another.v1'],
  group: [
    ...['ingest', 'e-step', 'updater', 'scoring', 'readers.of-labels'].map(stage => `customers.${stage}`),
    `${topics.features}.ingest`,
    ...['eddy-anonymous-1', 'another'],
  ],
  'transactional-id': [
    `${topics.features}.ingest.${topics.events}.0`,
    `customers.e-step.${topics.features}.1`,
    `customers.updater.${topics.statistics}.0`,
    `customers.scoring.${topics.features}.1`,
    ...['eddy-anonymous-1', 'another'],
  ],
  cluster: ['kafka-cluster'],
}

/** What the table of rights says, and what Kafka adds to it. */
function expected(role: Role, resource: Resource, name: string, operation: string): boolean {
  const granted = (wanted: string): boolean =>
    rights[role].some(
      right =>
        right.resource === resource &&
        right.operation === wanted &&
        (right.pattern === 'prefixed' ? name.startsWith(right.name) : name === right.name),
    )
  if (resource === 'cluster')
    return (
      operation === 'IdempotentWrite' &&
      rights[role].some(right => right.resource === 'topic' && right.operation === 'Write')
    )
  const including: Readonly<Record<string, readonly string[]>> = {
    Describe: ['Read', 'Write'],
    DescribeConfigs: ['AlterConfigs'],
  }
  return [operation, ...(including[operation] ?? [])].some(granted)
}

describeWithCluster('least privilege on Kafka', { secure: true, authorizer: true }, cluster => {
  const running: EddyProcess[] = []
  let produced = 0
  afterEach(() => Promise.all(running.splice(0).map(each => each.kill())))

  const environment = (role: Role, client = 'kafkajs'): Record<string, string> => ({
    KAFKA_BROKERS: cluster().secureBrokers.join(','),
    KAFKA_CLIENT: client,
    KAFKA_SSL_ENABLED: 'true',
    KAFKA_SSL_CA: cluster().certificateFile!,
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: `eddy-${role}`,
    KAFKA_SASL_PASSWORD_FILE: file(`password-${role}`),
  })
  const start = (role: Role, client: string, ...args: string[]): EddyProcess => {
    const eddy = new EddyProcess([...args, '--config', file('eddy.yaml')], environment(role, client))
    running.push(eddy)
    return eddy
  }
  const eddy = async (role: Role, client: string, ...args: string[]): Promise<string> => {
    const command = start(role, client, ...args)
    expect(await command.exit, command.stderr).toBe(0)
    return command.stdout
  }
  /** Properties with which Java's clients are this user. */
  const java = (username: string, secret: string): string => {
    const properties = file(`${username}.properties`)
    writeFileSync(
      properties,
      `security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=${cluster().certificateFile}
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${username}" password="${secret}";
`,
    )
    return properties
  }
  const [tools, bootstrap] = [file('tools'), () => cluster().secureBrokers[0]!]

  beforeAll(async () => {
    mkdirSync(tools)
    await writeKafkaTools(tools)
    const passwords = Object.fromEntries(
      roles.map(role => [`PASSWORD_${role.replaceAll('-', '_').toUpperCase()}`, password(role)]),
    )
    for (const role of roles) writeFileSync(file(`password-${role}`), password(role))
    await run(join(import.meta.dirname, '../../infra/kafka/principals.sh'), {
      env: {
        ...process.env,
        ...passwords,
        BOOTSTRAP: bootstrap(),
        COMMAND_CONFIG: java('eddy', 'secret'),
        KAFKA_BIN: tools,
      },
    })
    await eddy('operator', 'kafkajs', 'topics', 'create')
  }, 300_000)

  it.each(['kafkajs', 'platformatic'])(
    'each service does its work as its own principal: %s',
    { timeout: 240_000 },
    async client => {
      // Half by `eddy produce`, half by an independent client; one event that is refused.
      writeFileSync(file('events.ndjson'), syntheticEvents(1000, 1 + produced, produced))
      await eddy('producer', client, 'produce', '--topic', 'events', '--input', file('events.ndjson'))
      const keyed = syntheticEvents(999, 2 + produced, produced + 1000)
        .trim()
        .split('\n')
        .map(line => `${JSON.parse(line).customer}\t${line}`)
      writeFileSync(file('keyed.tsv'), `${[...keyed, 'nobody\tnot JSON'].join('\n')}\n`)
      const produce =
        '"$0"/kafka-console-producer.sh --bootstrap-server "$1" --command-config "$2" --topic "$3" --reader-property parse.key=true <"$4"'
      await run('sh', [
        '-c',
        produce,
        tools,
        bootstrap(),
        java('eddy-producer', password('producer')),
        topics.events,
        file('keyed.tsv'),
      ])
      produced += 1999

      const services = ['ingest', 'em-worker', 'em-updater', 'scoring'] as const
      const started = services.map(service => start(service, client, service, '--port', '0'))
      await Promise.all(started.map(each => each.said(/is up/)))
      // As its own principal each serves its routes too.
      const [ingest, , , scoring] = started.map(each => /is up: (\S+)\/metrics/.exec(each.stderr)![1]!)
      const posted = `posted-by-${client}`
      const body = `${JSON.stringify({ customer: posted, features: { x: 1, y: 2 } })}\n`
      expect((await postEvents(ingest!, body)).status).toBe(200)
      produced += 1
      const reader = ['tail', '--topic', 'labels', '--from', 'earliest', '--limit', String(produced), '--json']
      const labels = (await eddy('label-reader', client, ...reader)).trim().split('\n')
      expect(new Set(labels.map(line => JSON.parse(line).value.customer)).size).toBe(produced)
      const streamed = await (await fetch(`${scoring}/v1/labels?from=earliest&follow=false`)).text()
      expect(streamed).toContain(`"${posted}"`)
      const { stdout: read } = await run(
        join(tools, 'kafka-console-consumer.sh'),
        [
          ...[
            '--bootstrap-server',
            bootstrap(),
            '--command-config',
            java('eddy-label-reader', password('label-reader')),
          ],
          ...['--topic', topics.labels, '--group', `customers.readers.${client}`, '--from-beginning'],
          ...['--max-messages', String(produced), '--timeout-ms', '60000'],
          ...['--formatter-property', 'print.key=true', '--formatter-property', 'print.value=false'],
        ],
        { maxBuffer: 1 << 26 },
      )
      expect(new Set(read.trim().split('\n')).size).toBe(produced)

      const inspected = JSON.parse(await eddy('operator', client, 'inspect', '--json'))
      expect(inspected.segments).toHaveLength(3)
      const ledger = await eddy('operator', client, 'inspect', '--ledger', '--compare', '--json')
      const verdicts = ledger
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).verdict)
      expect(verdicts).toEqual(['equal', 'equal'])
      const lag = (await eddy('operator', client, 'lag', '--json'))
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
      expect(lag.filter(({ stage, lag }) => stage !== 'e-step' && stage !== 'updater' && lag > 0)).toEqual([])
      const [refused] = (await eddy('operator', client, 'dead-letters', 'list')).split('  ')
      await eddy('operator', client, 'dead-letters', 'retry', refused!)
      await eddy('operator', client, 'topics', 'check')
      const codes = await Promise.all(started.map(each => each.stop('SIGTERM')))
      expect(codes).toEqual([0, 0, 0, 0])
      // With nothing running: the operator puts the oldest model back that is stored.
      const [oldest] = (await eddy('operator', client, 'models', 'list', '--json')).split('\n')
      await eddy('operator', client, 'models', 'rollback', `customers@${JSON.parse(oldest!).version}`)
    },
  )

  it('eddy doctor finds each principal fit for its own role, and says what another one lacks', async () => {
    for (const role of roles) {
      const findings = await eddy(role, 'kafkajs', 'doctor', '--for', role, '--json')
      const bad = findings
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
        .filter(({ status }) => status === 'failure')
      expect(bad).toEqual([])
    }
    const other = start('ingest', 'kafkajs', 'doctor', '--for', 'scoring')
    expect(await other.exit).toBe(1)
    expect(other.stdout).toContain('lacks 5 rights of scoring: ')
    expect(other.stdout).toContain(
      'kafka-acls.sh --add --allow-principal User:eddy-ingest --operation Write --topic eddy.labels.v1',
    )
    const any = start('label-reader', 'platformatic', 'doctor')
    await any.exit
    expect(any.stdout).toContain('User:eddy-label-reader may work as label-reader\n')
  })

  it('every operation beyond that is denied', { timeout: 240_000 }, async () => {
    const admin = await connect('eddy', 'secret')
    await operations.topic.Create!(admin, 'another.v1')
    const rows: string[] = []
    const wrong: string[] = []
    let tried = 0
    const connections = await Promise.all(roles.map(role => connect(`eddy-${role}`, password(role))))
    // Deleting comes last for each name, so that all else is tried on what exists.
    for (const [resource, attempts] of Object.entries(operations) as [Resource, (typeof operations)[Resource]][])
      for (const name of names[resource])
        for (const [operation, attempt] of Object.entries(attempts)) {
          const cells: string[] = []
          for (const [i, role] of roles.entries()) {
            const allowed = await allows(connections[i]!, attempt, name)
            const right = allowed === expected(role, resource, name, operation)
            tried++
            cells.push(`${allowed ? 'yes' : '·'}${right ? '' : ' (!)'}`.padStart(12))
            if (!right) wrong.push(`${role} ${operation} ${resource} ${name}: ${allowed ? 'allowed' : 'denied'}`)
          }
          rows.push(`${`${resource} ${name} ${operation}`.padEnd(78)}${cells.join('')}`)
        }
    await Promise.all([admin, ...connections].map(connection => connection.close()))
    console.log(`${''.padEnd(78)}${roles.map(role => role.padStart(12)).join('')}\n${rows.join('\n')}`)
    const denied = rows.join('').split('·').length - 1
    console.log(`${tried} cells tried, ${denied} denied, ${tried - denied} allowed, ${wrong.length} wrong`)
    expect(wrong).toEqual([])
  })

  async function connect(username: string, secret: string): Promise<Connection> {
    const [host, port] = cluster().secureBrokers[0]!.split(':') as [string, string]
    const connection = new Connection('matrix', {
      tls: { ca: cluster().certificate! },
      sasl: { mechanism: 'SCRAM-SHA-512', username, password: secret },
    })
    await connection.connect(host, Number(port))
    return connection
  }
})
