import type { KafkaRight } from '@eddy/log-kafka'
import { type Configuration, kafkaOptions, type Role, rightsOf, roles } from '@eddy/settings'
import { reachBrokers, SHORT_PATIENCE } from '../command-line/reach-brokers.ts'
import { failure, ok, type Verdict } from './verdict.ts'

/**
 * What this principal may not do on the cluster although the role needs it, and the commands that grant it; without a role, which roles it
 * can take.
 */
export async function rightsVerdict(configuration: Configuration, role?: Role): Promise<Verdict> {
  if (configuration.log.kind !== 'kafka') return ok('not used (log.kind: embedded)')
  await reachBrokers(configuration.kafka.brokers ?? [], () => {}, SHORT_PATIENCE)
  const { missingRights } = await import('@eddy/log-kafka/platformatic')
  const wanted = rightsOf(configuration)
  const lacking = async (of: Role): Promise<KafkaRight[]> => missingRights(kafkaOptions(configuration), wanted[of])
  const principal = configuration.kafka.sasl.username ?? 'ANONYMOUS'
  if (role !== undefined) return verdictFor(role, principal, await lacking(role))
  const possible: Role[] = []
  for (const each of roles) if ((await lacking(each)).length === 0) possible.push(each)
  return possible.length > 0
    ? ok(`User:${principal} may work as ${possible.join(', ')}`)
    : failure(
        `User:${principal} may work as none of ${roles.join(', ')}`,
        'Ask for one of them with --for to see what it lacks; infra/kafka/principals.sh grants it.',
      )
}

function verdictFor(role: Role, principal: string, missing: readonly KafkaRight[]): Verdict {
  if (missing.length === 0) return ok(`User:${principal} may do all that ${role} does`)
  const found = missing.map(
    ({ operation, resource, name, pattern }) =>
      `${operation} on ${resource} ${name}${pattern === 'prefixed' ? '*' : ''}`,
  )
  return failure(
    `User:${principal} lacks ${missing.length} rights of ${role}: ${found.join('; ')}`,
    `Grant them as an administrator: ${missing.map(right => grant(principal, right)).join('; ')}`,
  )
}

function grant(principal: string, { operation, resource, name, pattern }: KafkaRight): string {
  const prefixed = pattern === 'prefixed' ? ' --resource-pattern-type prefixed' : ''
  return `kafka-acls.sh --add --allow-principal User:${principal} --operation ${operation} --${resource} ${name}${prefixed}`
}
