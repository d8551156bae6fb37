import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfiguration } from '@eddy/runtime'
import { configurationSchema } from '@eddy/settings'
import { Ajv } from 'ajv'
import { describe, expect, it, onTestFinished } from 'vitest'
import { parse, parseAllDocuments, stringify } from 'yaml'
import { hasTool } from '../../test/fixtures/tool.ts'
import { hasPrometheus, rules } from '../prometheus/testing.ts'

const chart = join(import.meta.dirname, 'chart/eddy')
const read = (path: string): string => readFileSync(join(chart, path), 'utf8')
const onKafka = 'mode=kafka,kafka.brokers={b:9092},kafka.autoscaling.enabled=true,kafka.saslSecretPrefix=eddy'
const everything = [
  `${onKafka},tokenSecret=mine,tls.secret=tls,tls.clientCa=true,ca.configMap=trusted,kafka.ssl.enabled=true,kafka.ssl.caSecret=broker-ca`,
  'env[0].name=EDDY_LOGGING_LEVEL,env[0].value=warn,podAnnotations.team=data,image.pullSecrets[0].name=registry',
  'networkPolicy.extraEgress[0].ports[0].protocol=TCP,networkPolicy.extraEgress[0].ports[0].port=8081',
  'extraVolumes[0].name=scratch,extraVolumes[0].emptyDir.medium=Memory',
  'extraVolumeMounts[0].name=scratch,extraVolumeMounts[0].mountPath=/scratch',
].join(',')
const monitoring = 'monitoring.serviceMonitor.enabled=true,monitoring.prometheusRule.enabled=true'
const services = ['em-updater', 'em-worker', 'ingest', 'scoring']

interface Manifest {
  readonly kind: string
  readonly metadata: { readonly name: string }
  // The schemas of Kubernetes check the shape.
  // biome-ignore lint/suspicious/noExplicitAny: a manifest has a shape for each kind
  readonly spec: any
  readonly data?: Readonly<Record<string, string>>
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
    ['tls.clientCa=true', 'tls/secret'],
    ['monitoring.serviceMonitor.interval=often', 'serviceMonitor/interval'],
    ['extraVolumes[0].emptyDir.medium=Memory', 'extraVolumes/0'],
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
      // Variables of services would be EDDY_… names that Eddy does not know.
      expect(pod).toMatchObject({
        enableServiceLinks: false,
        automountServiceAccountToken: false,
        terminationGracePeriodSeconds: 60,
      })
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
      // The kubelet asks: no process is started for it.
      expect(container.startupProbe.httpGet).toEqual({ path: '/livez', port: 'http' })
      expect(container.livenessProbe.httpGet).toEqual({ path: '/livez', port: 'http' })
      expect(container.readinessProbe.httpGet).toEqual({ path: '/readyz', port: 'http' })
      expect(container.resources.limits.memory).toMatch(/^\d+(Mi|Gi)$/)
    }
  })

  const podsOf = (settings: string) =>
    render(settings)
      .manifests.filter(({ spec }) => spec?.template)
      .map(({ spec }) => spec.template)

  it('has defaults that run: a configuration that is complete, and a token of its own', () => {
    const { manifests } = render('mode=embedded')
    const found = (kind: string) => manifests.find(manifest => manifest.kind === kind)!
    const folder = mkdtempSync(join(tmpdir(), 'eddy-chart-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const file = join(folder, 'eddy.yaml')
    writeFileSync(file, found('ConfigMap').data!['eddy.yaml']!)
    const token = Buffer.from(found('Secret').data!.token!, 'base64').toString()
    expect(token).toMatch(/^\w{40}$/)
    writeFileSync(join(folder, 'token'), token)
    const { env, volumeMounts } = podsOf('mode=embedded')[0].spec.containers[0]
    const environment = Object.fromEntries(
      env.map((entry: { name: string; value: string }) => [entry.name, entry.value]),
    )
    expect(environment.EDDY_HTTP_TOKEN_FILE).toBe(`${volumeMounts[1].mountPath}/token`)
    const metricsToken = Buffer.from(found('Secret').data!['metrics-token']!, 'base64').toString()
    writeFileSync(join(folder, 'metrics-token'), metricsToken)
    expect(environment.EDDY_HTTP_METRICS_TOKEN_FILE).toBe(`${volumeMounts[1].mountPath}/metrics-token`)
    const told = {
      ...environment,
      EDDY_HTTP_TOKEN_FILE: join(folder, 'token'),
      EDDY_HTTP_METRICS_TOKEN_FILE: join(folder, 'metrics-token'),
    }
    const { features, http } = loadConfiguration(configurationSchema, { file, environment: told })
    expect(features).not.toHaveLength(0)
    expect(http).toMatchObject({ host: '0.0.0.0', token, metricsToken })
    const { secret } = podsOf('mode=embedded')[0].spec.volumes[1]
    expect(secret.secretName).toBe(found('Secret').metadata.name)
    // A file of tokens beside the one is refused where others than the pod's group may read it.
    expect(secret.defaultMode).toBe(0o440)
    expect(render('tokenSecret=mine').manifests.some(({ kind }) => kind === 'Secret')).toBe(false)
  })

  it('gives a pod the certificates, variables and volumes that it is told, under names that Eddy knows', () => {
    const { metadata, spec } = podsOf(everything)[0]
    const [container] = spec.containers
    const values = Object.fromEntries(
      container.env.map(({ name, value = 'x' }: { name: string; value?: string }) => [name, value]),
    )
    expect(values).toMatchObject({
      NODE_EXTRA_CA_CERTS: '/etc/eddy-ca/ca.crt',
      KAFKA_SSL_CA: '/run/secrets/kafka-ca/ca.crt',
    })
    const { EDDY_HTTP_TOKEN_FILE: _, EDDY_HTTP_METRICS_TOKEN_FILE: __, ...environment } = values
    const configuration = loadConfiguration(configurationSchema, { environment, flags: { 'log.kind': 'kafka' } })
    expect(configuration).toMatchObject({
      http: {
        tls: { cert: '/run/secrets/tls/tls.crt', key: '/run/secrets/tls/tls.key', clientCa: '/run/secrets/tls/ca.crt' },
      },
      kafka: { ssl: { enabled: true, ca: '/run/secrets/kafka-ca/ca.crt' }, sasl: { mechanism: 'scram-sha-512' } },
      logging: { level: 'warn' },
    })
    const mounted = container.volumeMounts.map(({ name }: { name: string }) => name)
    expect(mounted.toSorted()).toEqual(spec.volumes.map(({ name }: { name: string }) => name).toSorted())
    expect(mounted).toContain('scratch')
    expect(container.livenessProbe.httpGet.scheme).toBe('HTTPS')
    expect(container.readinessProbe.httpGet.scheme).toBe('HTTPS')
    expect(metadata.annotations.team).toBe('data')
  })

  it('starts pods anew when the configuration or a secret changes', () => {
    const annotations = (settings: string) => podsOf(settings)[0].metadata.annotations
    const before = annotations('tokenSecret=mine')
    expect(annotations('tokenSecret=mine')).toEqual(before)
    expect(annotations('tokenSecret=mine,config.model.components=7')).toMatchObject({
      'checksum/secrets': before['checksum/secrets'],
      'checksum/config': expect.not.stringMatching(before['checksum/config']),
    })
    // Without a cluster there is no Secret to look up: each rendering has a token of its own.
    expect(annotations('mode=embedded')['checksum/secrets']).not.toBe(annotations('mode=embedded')['checksum/secrets'])
  })

  it('is watched by the Prometheus operator where that is asked for, by the rules that are tested', () => {
    const { manifests } = render(`${monitoring},monitoring.serviceMonitor.labels.release=prometheus`)
    const found = (kind: string) => manifests.find(manifest => manifest.kind === kind)!
    const monitor = found('ServiceMonitor')
    const service = found('Service') as { metadata: { labels?: Record<string, string> } } & Manifest
    expect(monitor.metadata).toMatchObject({ labels: { release: 'prometheus' } })
    // The rules look for job="eddy".
    expect(service.metadata.labels?.[monitor.spec.jobLabel]).toBe('eddy')
    expect(service.metadata.labels).toMatchObject(monitor.spec.selector.matchLabels)
    expect(monitor.spec.endpoints).toEqual([
      {
        port: service.spec.ports[0].name,
        path: '/metrics',
        interval: '15s',
        authorization: { type: 'Bearer', credentials: { name: 'release-eddy-token', key: 'metrics-token' } },
      },
    ])
    const { groups } = found('PrometheusRule').spec
    expect(groups.flatMap((group: { rules: unknown[] }) => group.rules)).toEqual(rules())
    expect(render('mode=embedded').text).not.toContain('monitoring.coreos.com')
    const secure = render(`${monitoring},tls.secret=tls,monitoring.serviceMonitor.tlsConfig.insecureSkipVerify=true`)
    expect(secure.manifests.find(({ kind }) => kind === 'ServiceMonitor')!.spec.endpoints[0]).toMatchObject({
      scheme: 'https',
      tlsConfig: { insecureSkipVerify: true },
    })
    if (!hasPrometheus()) return
    const folder = mkdtempSync(join(tmpdir(), 'eddy-chart-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'rules.yml'), stringify({ groups }))
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', join(folder, 'rules.yml')], {
      encoding: 'utf8',
    })
    expect(status, stdout + stderr).toBe(0)
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
    const registry =
      'networkPolicy.extraEgress[0].ports[0].protocol=TCP,networkPolicy.extraEgress[0].ports[0].port=8081'
    expect(policy(`${onKafka},${registry}`)!.spec.egress.at(-1)).toEqual({ ports: [{ protocol: 'TCP', port: 8081 }] })
    expect(policy('networkPolicy.enabled=false')).toBeUndefined()
  })

  const validatorAdvice = 'pip install kubernetes-validate==1.37.0'
  it.runIf(hasTool('kubernetes-validate', validatorAdvice, '--version')).each(['1.27', '1.37'])(
    'renders what the schemas of Kubernetes %s accept, strictly',
    version => {
      for (const settings of ['mode=embedded', 'mode=kafka,kafka.brokers={b:9092}', onKafka, everything]) {
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
