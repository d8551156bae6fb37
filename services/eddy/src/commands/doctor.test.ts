import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { kernelInfo } from '@eddy/mixture'
import { loadConfiguration } from '@eddy/runtime'
import { configurationSchema } from '@eddy/settings'
import { afterAll, describe, expect, it } from 'vitest'
import { RegistryServer } from '../../../../libs/messages/src/testing/registry-server.ts'
import { examine } from '../doctor/checks.ts'
import { runCommand } from '../testing/run-command.ts'
import { topCommand } from './top.ts'
import { activity, parseMetrics, view } from './top-view.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-doctor-'))
afterAll(() => rmSync(folder, { recursive: true }))
const look = async (flags: Record<string, unknown>) => {
  const configuration = loadConfiguration(configurationSchema, {
    flags: { 'log.directory': join(folder, 'new'), 'http.port': 0, ...flags },
  })
  return new Map((await examine(configuration)).map(finding => [finding.check, finding]))
}

describe('eddy doctor', () => {
  it('finds nothing wrong where nothing is', async () => {
    const findings = await look({})
    expect([...findings.values()].filter(({ status }) => status === 'failure')).toEqual([])
    expect(findings.get('kernel')).toMatchObject({
      status: 'ok',
      found: expect.stringMatching(/^webassembly: SIMD f64/),
    })
  })

  it('says which kernel would run', async () => {
    expect((await look({ 'model.kernel': 'webassembly' })).get('kernel')?.status).toBe('ok')
    expect((await look({ 'model.kernel': 'webassembly-f32' })).get('kernel')).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('scoring of full covariances in f32'),
    })
    expect((await look({ 'model.kernel': 'typescript' })).get('kernel')).toEqual({
      check: 'kernel',
      status: 'warning',
      found: 'typescript: chosen by option',
      advice: expect.stringContaining('Set model.kernel to auto'),
    })
    expect(kernelInfo().implementation).toBe('webassembly')
  })

  it('says what is wrong and what to do', async () => {
    writeFileSync(join(folder, 'file'), '')
    writeFileSync(join(folder, 'log.sqlite'), 'no database')
    const server = createServer().listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const findings = await look({
      'log.directory': folder,
      'http.port': port,
      'customers.hmacKeyFile': join(folder, 'none'),
    })
    server.close()
    expect(findings.get('port')).toMatchObject({ status: 'warning', advice: expect.stringContaining('--port') })
    expect(findings.get('log')).toMatchObject({ status: 'failure', found: expect.stringContaining('expected') })
    expect(findings.get('secrets')).toMatchObject({ status: 'failure', advice: expect.stringContaining('urandom') })
    for (const { status, advice } of findings.values()) expect(advice !== undefined).toBe(status !== 'ok')
    const inFile = await look({ 'log.directory': join(folder, 'file', 'data') })
    expect(inFile.get('directory')).toMatchObject({ status: 'failure', advice: expect.stringContaining('--data-dir') })
  })

  it('asks the schema registry for what is written', async () => {
    const server = new RegistryServer()
    const url = await server.listen()
    const registry = async (flags: Record<string, unknown> = {}) =>
      (await look({ 'registry.url': url, ...flags })).get('registry')
    expect(await registry()).toMatchObject({
      status: 'ok',
      found: expect.stringContaining('6 schemas will be registered'),
    })
    expect(await registry({ 'registry.register': false })).toMatchObject({
      status: 'failure',
      found: expect.stringContaining('eddy.labels.v1-value'),
      advice: expect.stringContaining('registry.register'),
    })
    server.incompatible.add('eddy.labels.v1-value')
    expect(await registry()).toMatchObject({ status: 'failure', advice: expect.stringContaining('eddy schema check') })
    server.credentials = 'user:password'
    expect(await registry()).toMatchObject({ status: 'failure', found: expect.stringContaining('401') })
    expect(server.requests.filter(request => /^POST .*versions$/.test(request) && !request.includes('compat'))).toEqual(
      [],
    )
    server.close()
    expect(await registry()).toMatchObject({ status: 'failure', advice: expect.stringContaining('registry.url') })
  })

  it('says when no broker answers', async () => {
    const findings = await look({ 'log.kind': 'kafka', 'kafka.brokers': ['127.0.0.1:1'] })
    expect(findings.get('broker')).toMatchObject({ status: 'failure' })
  })
})

describe('eddy top', () => {
  it('shows rates between two looks', () => {
    const text = (events: number) => `# HELP x
eddy_records_processed_total{stage="ingest",partition="0"} ${events}
eddy_consumer_lag_records{stage="ingest",partition="0"} 7
eddy_model_snapshot_version{model="m"} 3
eddy_model_snapshot_timestamp_seconds{model="m"} 90
eddy_model_learned_events{model="m"} 1234
eddy_segment_weight_ratio{model="m",segment="s1"} 0.25
eddy_segment_weight_ratio{model="m",segment="s2"} 0.75
eddy_segment_drift_sigma{model="m",segment="s2"} 0.5
eddy_event_to_label_seconds_bucket{le="0.01"} 0
eddy_event_to_label_seconds_bucket{le="0.1"} ${events}
eddy_event_to_label_seconds_bucket{le="+Inf"} ${events}
`
    const shown = view(activity(parseMetrics(text(100)), parseMetrics(text(500)), 2, 100))
    expect(shown.stages).toEqual([['ingest', '200', '7']])
    expect(shown.segments).toEqual([
      ['s2', '75.0%', '0.50'],
      ['s1', '25.0%', '–'],
    ])
    expect(shown.lines.join('\n')).toContain('model m, snapshot 3, 10 s old, 1,234 events learned')
    expect(shown.lines.join('\n')).toContain('p99 100 ms')
  })

  it('tells scripts the same as one JSON object, null where it does not know', async () => {
    let events = 0
    const server = createHttpServer((_, response) => {
      events += 100
      response.end(`eddy_records_processed_total{stage="ingest",partition="0"} ${events}
eddy_consumer_lag_records{stage="ingest",partition="0"} 7
eddy_model_snapshot_version{model="m"} 3
eddy_model_prequential_log_likelihood_nats{model="m"} NaN
eddy_segment_weight_ratio{model="m",segment="s1"} 1
`)
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const { stdout, stderr, code } = await runCommand(topCommand, ['--json', '--interval', '0.2', '--url', url])
    server.close()
    expect([stderr, code]).toEqual(['', 0])
    expect(JSON.parse(stdout)).toMatchObject({
      model: 'm',
      snapshot: 3,
      logLikelihood: null,
      eventToLabelP99Seconds: null,
      stages: [{ stage: 'ingest', lag: 7, recordsPerSecond: expect.any(Number) }],
      segments: [{ segment: 's1', share: 1, drift: null }],
    })
    const failed = await runCommand(topCommand, ['--json', '--url', url])
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('expected a running Eddy') })
  })

  it('shows services that run apart as one', () => {
    const scoring = (events: number) => `eddy_model_snapshot_version{model="m"} 4
eddy_model_prequential_log_likelihood_nats{model="m"} Nan
eddy_segment_weight_ratio{model="m",segment="s1"} 1
eddy_consumer_lag_records{stage="scoring",partition="0"} 3
eddy_event_to_label_seconds_bucket{le="0.1"} ${events}
eddy_event_to_label_seconds_bucket{le="+Inf"} ${events}
`
    const other = `eddy_model_snapshot_version{model="m"} 5
eddy_segment_weight_ratio{model="m",segment="s1"} 1
eddy_consumer_lag_records{stage="scoring",partition="1"} 4
eddy_event_to_label_seconds_bucket{le="0.1"} 0
eddy_event_to_label_seconds_bucket{le="+Inf"} 10
`
    const shown = view(activity(parseMetrics(scoring(0) + other), parseMetrics(scoring(90) + other), 1, 100))
    expect(shown.stages).toEqual([['scoring', '0', '7']])
    expect(shown.segments).toHaveLength(1)
    const text = shown.lines.join('\n')
    expect(text).toContain('snapshot 5')
    expect(text).toContain('log-likelihood – nats/event')
    expect(text).toContain('p99 100 ms')
  })
})
