import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { EddyProcess, temporaryFolder } from '../../eddy-process.ts'
import { syntheticEvents } from '../../synthetic-events.ts'

export const ATTACKS_USAGE = `npm run bench -- attacks [options]
  --requests N      of the well-behaved client, alone and beside each attack (default: 300)
  --only NAME       this attack alone`

const DOCUMENT = join(import.meta.dirname, '../../../docs/benchmarks/attacks.md')

const attacks = [
  'tiny lines',
  'decompression bombs',
  'unfinished bodies',
  'slow bodies',
  'bodies in pieces of a byte',
  'slow heads',
  'large heads',
  'foreign hosts',
  'forms of foreign pages',
  'control characters',
]

interface Figures {
  readonly attack: string
  /** p99 of the client's requests, milliseconds */
  readonly alone: number
  readonly beside: number
  /** the client's requests that were not answered 200 */
  readonly failed: number
  /** resident memory of Eddy after the attack, MB */
  readonly memory: number
}

/** Milliseconds: less than this a shared machine cannot tell apart. */
const resolution = 10

/** What a well-behaved client waits for its answers beside each attack. @returns the exit code: 1 where it is more than twice as long */
export async function benchAttacks(args: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...args],
    options: { requests: { type: 'string', default: '300' }, only: { type: 'string' } },
  })
  const { only } = values
  if (only !== undefined && !attacks.includes(only)) {
    console.error(`--only: expected one of ${attacks.join(', ')}, got ${only}`)
    return 2
  }
  const [load] = loadavg()
  const measured: Figures[] = []
  for (const attack of only === undefined ? attacks : [only]) {
    measured.push(await beside(attack, Number(values.requests)))
    console.log(row(measured.at(-1)!))
  }
  if (only === undefined) writeFileSync(DOCUMENT, document(measured, Number(values.requests), load!))
  const starved = measured.filter(({ alone, beside }) => beside > 2 * Math.max(alone, resolution))
  for (const { attack } of starved) console.error(`${attack}: expected at most twice the p99 alone`)
  return starved.length === 0 ? 0 : 1
}

async function beside(attack: string, requests: number): Promise<Figures> {
  const folder = temporaryFolder()
  const config = join(folder.path, 'eddy.yaml')
  writeFileSync(config, 'model: { components: 3, warmUp: { events: 500 } }\nfeatures: [{ name: x }, { name: y }]\n')
  const eddy = new EddyProcess(['up', '--config', config, '--data-dir', join(folder.path, 'data'), '--port', '0'])
  let attacker: ChildProcess | undefined
  try {
    const url = await eddy.url()
    await client(url, 100)
    const alone = await client(url, requests)
    attacker = spawn(process.execPath, ['-C', 'source', join(import.meta.dirname, 'attacker.ts'), attack, url], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await delay(2000)
    const under = await client(url, requests)
    const memory = /^process_resident_memory_bytes (\S+)/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1]
    return { attack, alone: alone.p99, beside: under.p99, failed: under.failed, memory: Number(memory) / 1e6 }
  } finally {
    if (attacker !== undefined) {
      attacker.kill('SIGKILL')
      await once(attacker, 'close')
    }
    await eddy.kill()
    folder.remove()
  }
}

/** Posts ten events at a time, some way apart. */
async function client(url: string, requests: number): Promise<{ readonly p99: number; readonly failed: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const times: number[] = []
  let failed = 0
  for (let i = 0; i < requests; i++) {
    const start = performance.now()
    if ((await post(url, agent, syntheticEvents(10, i))) !== 200) failed++
    times.push(performance.now() - start)
    await delay(10)
  }
  agent.destroy()
  return { p99: times.sort((a, b) => a - b)[Math.ceil(0.99 * times.length) - 1]!, failed }
}

const post = (url: string, agent: Agent, body: string): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/x-ndjson' }
    const sent = request(`${url}/v1/events`, { method: 'POST', agent, headers }, response =>
      response.resume().on('end', () => resolve(response.statusCode)),
    )
    sent.on('error', reject).end(body)
  })

const row = ({ attack, alone, beside, failed, memory }: Figures): string =>
  `| ${attack} | ${alone.toFixed(1)} | ${beside.toFixed(1)} | ${(beside / alone).toFixed(1)} | ${failed} | ${memory.toFixed(0)} |`

const document = (measured: readonly Figures[], requests: number, load: number): string => `# Attacks

Generated by \`npm run bench -- attacks\`; do not edit. What a well-behaved client, which posts ten events every 10 ms over one connection, waits for its answers while another
process on the same two cores attacks \`eddy up\` as fast as it can (\`test/bench/attacks/attacker.ts\`): p99 of ${requests} requests, milliseconds. Load average before: ${load.toFixed(1)}; beyond 1 the attacker and the client are waited for too, and ratios tell little.

| Attack | p99 alone | p99 beside it | Ratio | Not answered 200 | Resident memory, MB |
| --- | --- | --- | --- | --- | --- |
${measured.map(row).join('\n')}
`
