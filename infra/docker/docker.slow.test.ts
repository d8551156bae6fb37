import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { freePorts } from '../../test/fixtures/broker-process.ts'
import { docker } from '../../test/fixtures/docker.ts'
import { describeWithDocker } from '../../test/fixtures/docker-engine.ts'
import { buildKafkaImage, kafkaImage } from '../../test/fixtures/kafka-image/index.ts'
import { syntheticEvents } from '../../test/synthetic-events.ts'
import { composeCommand, customersOf, EddyClient, type EddyContainer, Workplace } from './testing.ts'

const { EDDY_IMAGE } = process.env
/** EDDY_IMAGE, or built from this checkout. */
const image = EDDY_IMAGE ?? 'eddy:test'
/** Most that a stop may take before the process is killed, seconds: as in compose.yml, and half of what the chart gives. */
const deadline = 30

describeWithDocker('Docker', () => {
  beforeAll(() => {
    if (EDDY_IMAGE !== undefined) return
    const begin = Date.now()
    const { status, output } = spawnSync(join(import.meta.dirname, 'build.sh'), [image], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    })
    if (status !== 0) throw new Error(`build.sh: ${output.join('').slice(-5000)}`)
    console.log(`image built in ${Math.round((Date.now() - begin) / 1000)} s`)
  })

  describe('the image', () => {
    const workplace = new Workplace()
    afterAll(() => workplace.remove())

    it('is small, and has neither a shell nor another user than its own', () => {
      const megabytes = Number(docker('image', 'inspect', '--format', '{{.Size}}', image)) / 1e6
      console.log(`image: ${megabytes.toFixed(0)} MB`)
      expect(megabytes).toBeLessThan(180)
      expect(() => docker('run', '--rm', '--entrypoint', '/bin/sh', image, '-c', 'true')).toThrow(/no such file/)
      expect(docker('image', 'inspect', '--format', '{{.Config.User}}', image).trim()).toBe('10001:10001')
    })

    it('has the packages of package-lock.json that run, each at its version, and no other', () => {
      const script = `
        const { globSync, readFileSync } = require('node:fs')
        const found = globSync('/app/**/node_modules/{*,@*/*}/package.json')
          .map(file => [file.slice('/app/'.length, -'/package.json'.length), JSON.parse(readFileSync(file, 'utf8')).version])
        console.log(JSON.stringify(found))`
      const found = JSON.parse(docker('run', '--rm', '--entrypoint', 'node', image, '-e', script)) as [string, string][]
      const { packages } = JSON.parse(readFileSync(join(import.meta.dirname, '../../package-lock.json'), 'utf8'))
      expect(found.length).toBeGreaterThan(50)
      const known = ([path]: readonly [string, string]): string => {
        const { link, resolved, version, dev } = packages[path] ?? {}
        return dev === true ? 'for developers only' : (link === true ? packages[resolved] : { version }).version
      }
      expect(found.filter(entry => known(entry) !== entry[1])).toEqual([])
    })

    it('runs read-only without any right, says that it is healthy, and serves who has the token', async () => {
      const container = workplace.start(image, workplace.volume())
      console.log(`healthy after ${(await container.healthy()).toFixed(1)} s`)
      const rights = container.evaluate(
        `const { readFileSync, writeFileSync } = require('node:fs')
         const status = readFileSync('/proc/1/status', 'utf8')
         const write = path => { try { writeFileSync(path, ''); return 'written' } catch (error) { return error.code } }
         console.log(process.getuid(), /CapEff:\\s(\\w+)/.exec(status)[1], /NoNewPrivs:\\s(\\d)/.exec(status)[1],
           write('/app/x'), write('/tmp/x'), write('/data/x'))`,
      )
      expect(rights).toBe('10001 0000000000000000 1 EROFS EROFS written')
      expect((await container.client.fetch('/readyz')).status).toBe(200)
      expect((await container.client.fetch('/metrics', { headers: {} })).status).toBe(401)
      expect(container.exec('eddy', '--version')).toMatch(/^\d+\.\d+\.\d+$/m)
      await container.stop(deadline)
      expect(container.state.ExitCode).toBe(0)
    })

    it('drains within the deadline of a stop, and goes on from its volume', async () => {
      const volume = workplace.volume()
      const first = workplace.start(image, volume)
      await first.healthy()
      const acknowledged: string[] = []
      const post = async ({ client }: EddyContainer, batch: number): Promise<void> => {
        const events = syntheticEvents(250, 1 + batch, 250 * batch)
        expect(await client.post(events)).toBe(250)
        acknowledged.push(...customersOf(events))
      }
      let batch = 0
      const producers = Array.from({ length: 4 }, async () => {
        for (;;) await post(first, batch++)
      })
      const refused = Promise.allSettled(producers)
      await first.client.labels(5000)
      const seconds = await first.stop(deadline)
      await refused
      console.log(`stopped in ${seconds.toFixed(1)} s with ${acknowledged.length} events acknowledged`)
      expect(first.state).toMatchObject({ ExitCode: 0, OOMKilled: false })
      expect(seconds).toBeLessThan(deadline)

      // What was acknowledged and not labelled yet is in the volume: the next start labels it, and nothing twice.
      const read = (...command: string[]): string =>
        workplace.run(image, volume, ['--rm'], [...command, '--config', '/etc/eddy/eddy.yaml'])
      const recordsOf = (topic: string) =>
        customersOf(read('tail', '--topic', topic, '--from', 'earliest', '--no-follow')).toSorted()
      const before = recordsOf('labels')
      const second = workplace.start(image, volume)
      await second.healthy()
      await post(second, batch)
      const accepted = recordsOf('events')
      const labels = await second.client.labels(accepted.length)
      expect(labels.toSorted()).toEqual(accepted)
      expect(acknowledged.filter(customer => !accepted.includes(customer))).toEqual([])
      expect(labels.slice(0, before.length).toSorted()).toEqual(before)
      await second.stop(deadline)
      expect(second.state.ExitCode).toBe(0)
      expect(JSON.parse(read('inspect', '--json'))).toMatchObject({ events: accepted.length })
    })
  })

  describe('compose.yml', () => {
    const workplace = new Workplace()
    const project = `eddy-test-${process.pid}`
    let port: number
    const compose = (args: readonly string[], input?: string): string => {
      const [command, ...first] = composeCommand()!
      const file = join(import.meta.dirname, 'compose.yml')
      return execFileSync(command!, [...first, '--file', file, '--project-name', project, ...args], {
        encoding: 'utf8',
        input,
        stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
        env: {
          ...process.env,
          EDDY_IMAGE: image,
          EDDY_KAFKA_IMAGE: kafkaImage(),
          EDDY_CONFIG: workplace.configurationFile,
          EDDY_TOKEN_FILE: workplace.tokenFile,
          EDDY_METRICS_TOKEN_FILE: workplace.metricsTokenFile,
          EDDY_PORT: `${port}`,
        },
      })
    }
    const exitCodes = (profile: string): Record<string, number> => {
      compose(['--profile', profile, 'stop'])
      const lines = compose(['--profile', profile, 'ps', '--all', '--format', 'json']).trim().split('\n')
      return Object.fromEntries(
        lines.map(line => JSON.parse(line) as { Service: string; ExitCode: number }).map(s => [s.Service, s.ExitCode]),
      )
    }

    beforeAll(async () => {
      expect(composeCommand(), 'Docker Compose').toBeDefined()
      if (kafkaImage() === undefined) await buildKafkaImage()
      port = (await freePorts(1))[0]!
    })
    afterEach(() => {
      compose(['--profile', '*', 'down', '--volumes'])
    })
    afterAll(() => workplace.remove())

    it('eddy: takes events and labels them on its embedded log', async () => {
      compose(['--profile', 'eddy', 'up', '--detach', '--wait'])
      const client = new EddyClient(`http://127.0.0.1:${port}`, workplace.token)
      await client.post(syntheticEvents(500))
      expect(new Set(await client.labels(500)).size).toBe(500)
      // What Prometheus has opens nothing else.
      const scraper = new EddyClient(`http://127.0.0.1:${port}`, workplace.metricsToken)
      expect((await scraper.fetch('/metrics')).status).toBe(200)
      expect((await scraper.fetch('/v1/labels')).status).toBe(403)
      expect(exitCodes('eddy')).toEqual({ eddy: 0 })
    })

    it('kafka: a broker, its topics, and the four services, each a process of its own', () => {
      compose(['--profile', 'kafka', 'up', '--detach', '--wait'])
      const eddy = ['exec', '--no-TTY', 'scoring', 'eddy']
      const log = ['--config', '/etc/eddy/eddy.yaml', '--brokers', 'kafka:9092']
      compose([...eddy, 'produce', '--topic', 'events', '--input', '-', ...log], syntheticEvents(1000))
      const labels = compose([...eddy, 'tail', '--topic', 'labels', '--from', 'earliest', '--limit', '1000', ...log])
      expect(new Set(customersOf(labels)).size).toBe(1000)
      expect(exitCodes('kafka')).toMatchObject({ topics: 0, ingest: 0, 'em-worker': 0, 'em-updater': 0, scoring: 0 })
    })
  })
})
