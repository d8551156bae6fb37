import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { hasTool } from '../../test/fixtures/tool.ts'

const chart = join(import.meta.dirname, 'chart/eddy')
const read = (path: string): string => readFileSync(join(chart, path), 'utf8')
const onKafka = 'mode=kafka,kafka.brokers={b:9092},kafka.autoscaling.enabled=true,kafka.saslSecretPrefix=eddy'
const services = ['em-updater', 'em-worker', 'ingest', 'scoring']

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  // The schemas of Kubernetes check the shape.
  // biome-ignore lint/suspicious/noExplicitAny: a manifest has a shape for each kind
  readonly spec: any
}

const helm = (...args: string[]) => spawnSync('helm', args, { encoding: 'utf8' })
function render(settings: string): { readonly text: string; readonly manifests: readonly Manifest[] } {
  const { stdout, stderr, status } = helm('template', 'release', chart, '--set', settings)
  expect(status, stderr).toBe(0)
  const manifests = parseAllDocuments(stdout).map(document => document.toJS() as Manifest | null)
  return { text: stdout, manifests: manifests.filter(manifest => manifest !== null) }
}

describe('the values', () => {
  const validate = new Ajv({ strict: false }).compile(JSON.parse(read('values.schema.json')) as object)
  const values = () => parse(read('values.yaml')) as Record<string, never>

  it('pass their schema, which refuses mistakes', () => {
    expect(validate(values()), JSON.stringify(validate.errors)).toBe(true)
    expect(validate({ ...values(), mode: 'kafka' })).toBe(false)
    expect(validate({ ...values(), mode: 'kafka', kafka: { brokers: ['broker:9092'] } })).toBe(true)
    expect(validate({ ...values(), imagePullPolicy: 'Always' })).toBe(false)
    expect(validate({ ...values(), kafka: { services: { scoring: { replicas: 0 } } } })).toBe(false)
  })
})

const helmAdvice = 'go install helm.sh/helm/v3/cmd/helm@v3.22.0'
describe.runIf(hasTool('helm', helmAdvice))('helm', () => {
  it('lints the chart', () => {
    const { status, stdout, stderr } = helm('lint', '--strict', chart)
    expect(status, stdout + stderr).toBe(0)
  })

  it.each([
    ['mode=kafka', 'kafka/brokers'],
    ['mode=cluster', '/mode'],
    ['mode=kafka,kafka.brokers={nowhere}', 'kafka/brokers/0'],
    ['image.pullPolicy=Sometimes', 'image/pullPolicy'],
    ['image.repository=', 'image/repository'],
    ['replicas=3', "'replicas' not allowed"],
    ['kafka.services.scoring.replicas=0', 'scoring/replicas'],
    ['kafka.services.scorer.replicas=1', "'scorer' not allowed"],
    ['kafka.autoscaling.lagRecordsPerPod=0', 'lagRecordsPerPod'],
    ['embedded.storage.size=lots', 'storage/size'],
    ['networkPolicy.brokerPort=70000', 'brokerPort'],
    ['terminationGracePeriodSeconds=5', 'terminationGracePeriodSeconds'],
    ['tokenSecret=', 'tokenSecret'],
  ])('refuses %s and says where', (settings, place) => {
    const { status, stderr } = helm('template', 'release', chart, '--set', settings)
    expect(status).not.toBe(0)
    expect(stderr).toContain(place)
  })

  it.each([
    ['mode=embedded', ['StatefulSet/release-eddy']],
    [onKafka, services.map(service => `Deployment/release-${service}`)],
  ])('%s: pods without rights that say how they are and have time to drain', (settings, expected) => {
    const workloads = render(settings).manifests.filter(({ spec }) => spec?.template)
    expect(workloads.map(({ kind, metadata }) => `${kind}/${metadata.name}`).sort()).toEqual(expected)
    for (const { spec } of workloads) {
      const pod = spec.template.spec
      expect(spec.selector.matchLabels).toEqual(spec.template.metadata.labels)
      expect(pod).toMatchObject({ automountServiceAccountToken: false, terminationGracePeriodSeconds: 60 })
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
      })
      expect(pod.containers).toHaveLength(1)
      const [container] = pod.containers
      expect(container.securityContext).toEqual({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      })
      expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'http' })
      expect(container.readinessProbe.exec.command.join(' ')).toContain('/readyz')
      expect(container.resources.limits.memory).toMatch(/^\d+(Mi|Gi)$/)
    }
  })

  it('lets one pod of a service be evicted at a time', () => {
    const { manifests } = render(onKafka)
    const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget')
    expect(budgets.map(({ metadata }) => metadata.name).sort()).toEqual(services.map(service => `release-${service}`))
    for (const { metadata, spec } of budgets) {
      expect(spec.maxUnavailable).toBe(1)
      const workload = manifests.find(({ kind, metadata: { name } }) => kind === 'Deployment' && name === metadata.name)
      expect(spec.selector.matchLabels).toEqual(workload!.spec.template.metadata.labels)
    }
  })

  it('scales on lag what can be shared, and only that', () => {
    const { manifests } = render(`${onKafka},kafka.autoscaling.maxReplicas=5,kafka.autoscaling.lagRecordsPerPod=1000`)
    const scalers = manifests.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
    expect(scalers.map(({ spec }) => spec.scaleTargetRef.name).sort()).toEqual([
      'release-em-worker',
      'release-ingest',
      'release-scoring',
    ])
    for (const { spec } of scalers) {
      expect(spec).toMatchObject({ minReplicas: 2, maxReplicas: 5 })
      const metric = {
        metric: { name: 'eddy_consumer_lag_records' },
        target: { type: 'AverageValue', averageValue: '1000' },
      }
      expect(spec.metrics).toEqual([{ type: 'Pods', pods: metric }])
    }
    // A number of replicas would be set back at each upgrade.
    for (const { kind, metadata, spec } of manifests)
      if (kind === 'Deployment') expect('replicas' in spec, metadata.name).toBe(metadata.name === 'release-em-updater')
    const still = render('mode=kafka,kafka.brokers={b:9092}').manifests
    expect(still.filter(({ kind }) => kind === 'HorizontalPodAutoscaler')).toEqual([])
    expect(still.filter(({ kind }) => kind === 'Deployment').map(({ spec }) => spec.replicas)).toEqual([2, 2, 2, 2])
  })

  it('opens port 7700 to the namespaces that are named, and to the outside only what is needed', () => {
    const policy = (settings: string) => render(settings).manifests.find(({ kind }) => kind === 'NetworkPolicy')
    const access = { namespaceSelector: { matchLabels: { 'eddy-access': 'true' } } }
    const names = [
      { protocol: 'UDP', port: 53 },
      { protocol: 'TCP', port: 53 },
    ]
    const { spec } = policy('mode=embedded')!
    expect(spec.policyTypes).toEqual(['Ingress', 'Egress'])
    expect(spec.ingress).toEqual([{ from: [access], ports: [{ protocol: 'TCP', port: 7700 }] }])
    expect(spec.egress).toEqual([{ ports: names }])
    expect(policy(`${onKafka},networkPolicy.brokerPort=9093`)!.spec.egress).toEqual([
      { ports: names },
      { ports: [{ protocol: 'TCP', port: 9093 }] },
    ])
    expect(policy('networkPolicy.enabled=false')).toBeUndefined()
  })

  const validatorAdvice = 'pip install kubernetes-validate==1.37.0'
  it.runIf(hasTool('kubernetes-validate', validatorAdvice, '--version')).each(['1.27', '1.37'])(
    'renders what the schemas of Kubernetes %s accept, strictly',
    version => {
      for (const settings of ['mode=embedded', 'mode=kafka,kafka.brokers={b:9092}', onKafka]) {
        const { text, manifests } = render(settings)
        const check = (input: string) =>
          spawnSync('kubernetes-validate', ['--strict', '-k', version, '-'], { input, encoding: 'utf8' })
        const { status, stdout, stderr } = check(text)
        expect(status, stdout + stderr).toBe(0)
        expect((stdout + stderr).match(/ passed for resource /g)).toHaveLength(manifests.length)
        expect(check(text.replace('kind: Service\n', 'kind: Service\nport: 1\n')).status).not.toBe(0)
      }
    },
  )
})
