import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfiguration } from '@eddy/runtime'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { configurationSchema } from '../services/eddy/src/configuration.ts'
import { rightsOf } from '../services/eddy/src/stages/rights.ts'

const folder = import.meta.dirname
const read = (path: string): string => readFileSync(join(folder, path), 'utf8')
const chart = join(folder, 'kubernetes/chart/eddy')

describe('compose.yml', () => {
  interface Service {
    readonly ports?: readonly string[]
    readonly user?: string
    readonly read_only?: boolean
    readonly cap_drop?: readonly string[]
    readonly command?: readonly string[]
  }
  const { services } = parse(read('docker/compose.yml'), { merge: true }) as { services: Record<string, Service> }

  it('runs every service of ours as a user without rights, on a read-only file system', () => {
    for (const name of ['eddy', 'ingest', 'em-worker', 'em-updater', 'scoring'])
      expect(services[name], name).toMatchObject({ user: '10001:10001', read_only: true, cap_drop: ['ALL'] })
  })

  it('publishes ports on the loopback address only', () => {
    for (const { ports = [] } of Object.values(services))
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })
})

describe('the chart', () => {
  const ajv = new Ajv({ strict: false })
  const validate = ajv.compile(JSON.parse(read('kubernetes/chart/eddy/values.schema.json')) as object)
  const values = () => parse(read('kubernetes/chart/eddy/values.yaml')) as Record<string, never>

  it('has values that its schema accepts, and a schema that refuses mistakes', () => {
    expect(validate(values()), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ ...values(), mode: 'kafka' })).toBe(false)
    expect(validate({ ...values(), mode: 'kafka', kafka: { brokers: ['broker:9092'] } })).toBe(true)
    expect(validate({ ...values(), imagePullPolicy: 'Always' })).toBe(false)
    expect(validate({ ...values(), kafka: { services: { scoring: { replicas: 0 } } } })).toBe(false)
  })

  const hasHelm = spawnSync('helm', ['version']).status === 0
  if (!hasHelm) console.warn('The chart is not rendered: helm is not installed.')
  it.runIf(hasHelm)('passes helm lint and renders hardened pods in both modes', () => {
    const helm = (...args: string[]) => spawnSync('helm', [...args], { encoding: 'utf8' })
    const lint = helm('lint', '--strict', chart)
    expect(lint.status, lint.stdout + lint.stderr).toBe(0)
    const modes = [
      [],
      ['--set', 'mode=kafka,kafka.brokers={b:9092},kafka.autoscaling.enabled=true,kafka.saslSecretPrefix=eddy'],
    ]
    const kinds = modes.map(flags => {
      const { stdout, stderr, status } = helm('template', 'release', chart, ...flags)
      expect(status, stderr).toBe(0)
      const objects = parseAllDocuments(stdout)
        .map(document => document.toJS())
        .filter(Boolean)
      for (const { kind, spec } of objects) {
        if (kind !== 'Deployment' && kind !== 'StatefulSet') continue
        const pod = spec.template.spec
        expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10001 })
        for (const container of pod.containers) {
          expect(container.securityContext).toMatchObject({
            readOnlyRootFilesystem: true,
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
          })
          expect(container.livenessProbe).toBeDefined()
          expect(container.readinessProbe).toBeDefined()
          expect(container.resources.limits.memory).toBeDefined()
        }
        expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels)
      }
      return objects.map(({ kind }) => kind as string).sort()
    })
    expect(kinds[0]).toEqual(['ConfigMap', 'NetworkPolicy', 'Service', 'StatefulSet'])
    const count = (kind: string): number => kinds[1]!.filter(found => found === kind).length
    expect([count('Deployment'), count('PodDisruptionBudget'), count('HorizontalPodAutoscaler')]).toEqual([4, 4, 3])
  })
})

describe('the image', () => {
  it('ends as a user without rights, with a health check that needs no secret', () => {
    const last = read('docker/Dockerfile')
      .split(/^FROM /m)
      .at(-1) as string
    expect(last).toMatch(/^USER 10001:10001$/m)
    expect(last).toMatch(/^HEALTHCHECK .*\/livez/m)
    expect(last.indexOf('USER')).toBeLessThan(last.indexOf('ENTRYPOINT'))
  })
})

describe('principals.sh', () => {
  const { stdout, status, stderr } = spawnSync(join(folder, 'kafka/principals.sh'), [], {
    encoding: 'utf8',
    env: { ...process.env, DRY_RUN: '1', BOOTSTRAP: 'b:9093', PASSWORD_SCORING: 'secret' },
  })
  /** `role operation resource name pattern` of each right. */
  const granted = stdout
    .split('\n')
    .filter(line => line.includes('--allow-principal'))
    .flatMap(line => {
      const role = /User:eddy-([\w-]+)/.exec(line)?.[1]
      const pattern = line.includes('--resource-pattern-type prefixed') ? 'prefixed' : 'literal'
      const resources = [...line.matchAll(/--(topic|group|transactional-id) (\S+)/g)]
      return [...line.matchAll(/--operation (\w+)/g)].flatMap(([, operation]) =>
        resources.map(([, resource, name]) => `${role} ${operation} ${resource} ${name} ${pattern}`),
      )
    })

  it('grants each role what its work needs and nothing else', () => {
    expect(status, stderr).toBe(0)
    const needed = Object.entries(rightsOf(loadConfiguration(configurationSchema, {}))).flatMap(([role, rights]) =>
      rights.map(({ operation, resource, name, pattern }) => `${role} ${operation} ${resource} ${name} ${pattern}`),
    )
    expect([...new Set(granted)].sort()).toEqual([...new Set(needed)].sort())
  })

  it('makes users only where a password is given', () => {
    expect(stdout.match(/--entity-name \S+/g)).toEqual(['--entity-name eddy-scoring'])
  })
})
