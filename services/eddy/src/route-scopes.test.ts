import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { createLogger, loadConfiguration, routeNeeds, scopes } from '@eddy/runtime'
import { configurationSchema, topicOptions } from '@eddy/settings'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runService, type ServiceName, services } from './start-services.ts'

const directory = mkdtempSync(join(tmpdir(), 'eddy-routes-'))
const tokensFile = join(directory, 'tokens')
const tokenOf = (holder: string): string => holder.padEnd(20, '-')
const holders = ['nothing', ...scopes]
writeFileSync(
  tokensFile,
  holders.map(holder => `${holder} ${holder === 'nothing' ? '-' : holder} ${tokenOf(holder)}\n`).join(''),
  { mode: 0o600 },
)
const configuration = loadConfiguration(configurationSchema, {
  flags: { 'log.directory': directory, 'http.port': 0, 'http.tokensFile': tokensFile },
})
const log = openEmbeddedLog(directory)
const stop = new AbortController()
const running: Promise<void>[] = []
let erasure: string
const urls = new Map<ServiceName, string>()
beforeAll(async () => {
  await log.ensureTopics(topicOptions(configuration))
  const features = [{ name: 'x', type: 'number', transform: 'none', required: false } as const]
  for (const name of Object.keys(services) as ServiceName[]) {
    const options = { name, configuration, features, log, logger: createLogger('silent'), now: Date.now }
    const port = await new Promise<number>((resolve, reject) => {
      const service = runService({ ...options, signal: stop.signal, onListening: resolve })
      service.catch(reject)
      running.push(service)
    })
    urls.set(name, `http://127.0.0.1:${port}`)
  }
  const authorization = `Bearer ${tokenOf('operate')}`
  const asked = await fetch(`${urls.get('ingest')}/v1/customers/c`, { method: 'DELETE', headers: { authorization } })
  erasure = ((await asked.json()) as { id: string }).id
})
afterAll(async () => {
  stop.abort()
  await Promise.allSettled(running)
  await log.close()
  rmSync(directory, { recursive: true })
})

/** Status, by who asks. */
async function statuses(url: string, route: string): Promise<Record<string, number>> {
  const [method, path] = route.split(' ') as [string, string]
  const found: Record<string, number> = {}
  for (const holder of ['nobody', 'a stranger', ...holders]) {
    const headers: Record<string, string> =
      holder === 'nobody' ? {} : { authorization: `Bearer ${tokenOf(holder.replace(' ', '-'))}` }
    const response = await fetch(`${url}${path.replace(':customer', 'c').replace(':id', erasure)}?follow=false`, {
      method,
      headers,
    })
    await response.arrayBuffer()
    found[holder] = response.status
  }
  return found
}

it.each(Object.entries(routeNeeds))('%s needs %s, at every service that has it', async (route, need) => {
  let serving = 0
  for (const [name, url] of urls) {
    // Asked under its very name it needs nothing at all.
    if (need === 'nothing') {
      expect((await fetch(url + route.split(' ')[1]!)).status, name).toBe(200)
      serving++
      continue
    }
    const found = await statuses(url, route)
    const allowed = need === 'known' ? holders : [need]
    const has = found[allowed[0]!] !== 404
    expect(found, name).toMatchObject({ nobody: 401, 'a stranger': 401 })
    for (const holder of holders) {
      if (!has) expect([name, holder, found[holder]]).toEqual([name, holder, 404])
      else if (allowed.includes(holder)) expect([401, 403, 404], `${name} ${holder}`).not.toContain(found[holder])
      else expect([name, holder, found[holder]]).toEqual([name, holder, 403])
    }
    if (has) serving++
  }
  expect(serving).toBe(need === 'nothing' || need === 'known' ? urls.size : 1)
})
