import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ConfigurationError, environmentVariables, loadConfiguration } from './configuration.ts'

const schema = z.strictObject({
  model: z.strictObject({ name: z.string().default('customers'), components: z.int().min(1) }),
  http: z
    .strictObject({ port: z.int().min(0).max(65535).default(7700), verbose: z.boolean().default(false) })
    .prefault({}),
  kafka: z.strictObject({ brokers: z.array(z.string()).optional(), clientId: z.string().optional() }).prefault({}),
})

const folder = mkdtempSync(join(tmpdir(), 'eddy-configuration-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (text: string): string => {
  const path = join(folder, 'eddy.yaml')
  writeFileSync(path, text)
  return path
}

describe('loadConfiguration', () => {
  it('prefers flag over environment over file over default', () => {
    const path = file('model: {components: 2, name: a}\nhttp: {port: 1}\n')
    const all = {
      file: path,
      environment: { EDDY_MODEL_COMPONENTS: '3', EDDY_HTTP_PORT: '2' },
      flags: { 'http.port': 3 },
    }
    expect(loadConfiguration(schema, all)).toMatchObject({
      model: { components: 3, name: 'a' },
      http: { port: 3, verbose: false },
    })
    expect(loadConfiguration(schema, { file: path }).http.port).toBe(1)
  })

  it('prefers all of them to what is known otherwise, and that to the default', () => {
    const known = { 'model.components': 9, 'model.name': 'known', 'http.port': 9, 'http.verbose': true }
    const path = file('model: {name: a}\nhttp: {verbose: false}\n')
    expect(loadConfiguration(schema, { file: path, environment: { EDDY_HTTP_PORT: '2' }, known })).toMatchObject({
      model: { components: 9, name: 'a' },
      http: { port: 2, verbose: false },
    })
  })

  it('reads lists, booleans and secrets kept in files from the environment', () => {
    writeFileSync(join(folder, 'id'), 'from-file\n')
    const environment = {
      EDDY_MODEL_COMPONENTS: '1',
      EDDY_HTTP_VERBOSE: 'true',
      KAFKA_BROKERS: 'a:1, b:2',
      KAFKA_CLIENT_ID_FILE: join(folder, 'id'),
    }
    expect(loadConfiguration(schema, { environment })).toMatchObject({
      http: { verbose: true },
      kafka: { brokers: ['a:1', 'b:2'], clientId: 'from-file' },
    })
  })

  it('names every problem at once, with its path and source', () => {
    const path = file('model: {components: none}\nhttp: {port: 70000, colour: red}\n')
    const problems = ((): readonly string[] => {
      try {
        loadConfiguration(schema, { file: path, environment: { EDDY_HTTP_VERBOSE: 'maybe' } })
        return []
      } catch (error) {
        return (error as ConfigurationError).problems
      }
    })()
    expect(problems).toEqual([
      `${path}: model.components: expected number, got "none"`,
      `${path}: http.port: expected at most 65535, got 70000`,
      'EDDY_HTTP_VERBOSE: http.verbose: expected boolean, got "maybe"',
      `${path}: http: expected a known key, got "colour"`,
    ])
  })

  it('tells no secret, and nothing that may hold one', () => {
    const secretive = z
      .strictObject({
        kafka: z.strictObject({ sasl: z.strictObject({ password: z.string() }), url: z.url({ hostname: /^h$/ }) }),
        http: z.strictObject({ token: z.string().min(16), host: z.string() }),
      })
      .refine(() => false, { path: ['http', 'host'], message: 'expected another host' })
    const messageOf = (text: string): string => {
      try {
        loadConfiguration(secretive, { file: file(text) })
        return ''
      } catch (error) {
        return (error as ConfigurationError).message
      }
    }
    const wrong = messageOf(
      'kafka: { sasl: { password: 98765 }, url: "http://u:canary@other" }\nhttp: { token: canary, host: { password: canary } }\n',
    )
    expect(wrong).toContain('kafka.sasl.password: expected string, got [redacted]')
    expect(wrong).toContain('http.token: expected at least 16, got [redacted]')
    expect(wrong).toContain('got "http://[redacted]@other"')
    expect(wrong).toContain('http.host: expected string, got a mapping')
    const together = messageOf(
      'kafka: { sasl: { password: canary }, url: http://h }\nhttp: { token: canary-canary-canary, host: a }\n',
    )
    expect(together).toMatch(/http\.host: expected another host$/)
    expect(wrong + together).not.toMatch(/canary|98765/)
  })

  it('says what is wrong with a missing or broken file', () => {
    expect(() => loadConfiguration(schema, { file: join(folder, 'none.yaml') })).toThrow(
      /ENOENT; check the path after --config/,
    )
    expect(() => loadConfiguration(schema, { file: file('model: [') })).toThrow(ConfigurationError)
    expect(() => loadConfiguration(schema, { file: file('- 1') })).toThrow(/expected a mapping/)
  })

  it('names an environment variable for every leaf', () => {
    expect(environmentVariables(schema)).toContainEqual({ variable: 'KAFKA_CLIENT_ID', path: 'kafka.clientId' })
    expect(environmentVariables(schema)).toContainEqual({ variable: 'EDDY_HTTP_PORT', path: 'http.port' })
  })
})
