import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SchemaRegistry } from '@eddy/messages'
import { loadConfiguration } from '@eddy/runtime'
import { type Configuration, codecsOf, configurationSchema, useRegistryIds } from '@eddy/settings'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { RegistryServer } from '../../../../libs/messages/src/testing/registry-server.ts'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { schemaCommand } from './schema.ts'

const builtIn = new Map<string, number>()
let nextId = 1000
let server: RegistryServer
let url: string
let directory: string
let configuration: Configuration

beforeEach(async () => {
  // Codecs keep what they learned: each test has ids of its own.
  nextId += 100
  server = new RegistryServer(nextId)
  url = await server.listen()
  directory = mkdtempSync(join(tmpdir(), 'eddy-registry-'))
  configuration = loadConfiguration(configurationSchema, {
    environment: { EDDY_REGISTRY_URL: url },
    flags: { 'log.directory': directory },
  })
  for (const [topic, codec] of codecsOf(configuration.topics)) builtIn.set(topic, builtIn.get(topic) ?? codec.id)
})
afterEach(async () => {
  server.close()
  rmSync(directory, { recursive: true })
  for (const [topic, codec] of codecsOf(configuration.topics)) codec.use(builtIn.get(topic) as number)
})

describe('eddy schema check', () => {
  it('tells new, registered and incompatible; writes nothing', async () => {
    const file = fileOf('eddy.yaml', `registry: {url: '${url}'}\n`)
    const fresh = await runCommand(schemaCommand, ['check', '--config', file, '--json'])
    expect(fresh.code).toBe(0)
    expect((JSON.parse(fresh.stdout) as { state: string }[]).map(({ state }) => state)).toEqual(Array(6).fill('new'))
    expect(server.schemas).toEqual([])
    await useRegistryIds(new SchemaRegistry({ url }), configuration.topics, 'register')
    expect((await runCommand(schemaCommand, ['check', '--config', file])).stdout).toMatch(/labels.*registered.*\d{4}/)
    server.close()
    server = new RegistryServer(nextId)
    server.incompatible.add('eddy.labels.v1-value')
    const other = fileOf('eddy.yaml', `registry: {url: '${await server.listen()}'}\n`)
    const bad = await runCommand(schemaCommand, ['check', '--config', other])
    expect(bad.code).toBe(1)
    expect(bad.stdout).toMatch(/labels.*incompatible.*reader misses a default/)
    expect(bad.stderr).toMatch(/got 1 incompatible \(eddy\.labels\.v1-value\)/)
  })

  it('needs a registry', async () => {
    expect((await runCommand(schemaCommand, ['check'])).code).toBe(2)
  })
})
