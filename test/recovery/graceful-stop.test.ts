import { writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { random } from '@eddy/mixture'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { EddyProcess, eddy, temporaryFolder } from '../eddy-process.ts'

const rounds = Number(process.env.EDDY_RUNS ?? 4)
const clients = Number(process.env.EDDY_CLIENTS ?? 50)
const folder = temporaryFolder()
const started: EddyProcess[] = []
afterEach(async () => {
  for (const running of started.splice(0)) await running.kill()
})
afterAll(() => folder.remove())
const config = join(folder.path, 'eddy.yaml')
writeFileSync(
  config,
  'model: { components: 3, batchSize: 256, maxWaitMs: 100, warmUp: { events: 300 } }\nfeatures: [{ name: x }, { name: y }]\n',
)

const eventOf = (customer: string, n: number): string => JSON.stringify({ customer, features: { x: n % 7, y: n % 3 } })

/** Status of the answer; undefined where there was none. */
function post(url: string, agent: Agent, body: string): Promise<number | undefined> {
  return new Promise(resolve => {
    request(`${url}/v1/events`, { method: 'POST', agent }, response => {
      response.resume()
      response.once('close', () => resolve(response.complete ? response.statusCode : undefined))
    })
      .on('error', () => resolve(undefined))
      .end(body)
  })
}

describe('a stop while clients send', () => {
  it(`answers everything that it stores: who sends again what had no answer stores nothing twice, ${rounds} times`, {
    timeout: 60_000 + rounds * 20_000,
  }, async () => {
    const data = join(folder.path, 'data')
    const up = ['up', '--config', config, '--data-dir', data, '--port', '0']
    const next = random(Number(process.env.EDDY_SEED ?? 1))
    let sent = 0
    /** what a client sent and has no good answer to: it sends it again */
    let unanswered: string[] = []
    let cut = 0
    for (let round = 0; round <= rounds; round++) {
      const running = new EddyProcess(up)
      started.push(running)
      const url = await running.url()
      if (round === 0) {
        // Stopped in the middle of the warm-up it would not have drained, and say so.
        const first = Array.from({ length: 300 }, () => eventOf(`c${sent++}`, sent))
        expect(await post(url, new Agent(), first.join('\n'))).toBe(200)
        await vi.waitFor(async () => {
          expect(await (await fetch(`${url}/metrics`)).text()).toMatch(/^eddy_model_learned_events\{.*\} 300$/m)
        }, 60_000)
      }
      const again = unanswered
      unanswered = []
      let stopping = round === rounds
      const client = async (): Promise<void> => {
        const agent = new Agent({ keepAlive: true })
        while (again.length > 0 || !stopping) {
          const id = again.pop() ?? `c${sent++}`
          if ((await post(url, agent, eventOf(id, sent))) === 200) continue
          unanswered.push(id)
          break
        }
        agent.destroy()
      }
      const sending = Array.from({ length: clients }, client)
      if (!stopping) {
        await new Promise(resolve => setTimeout(resolve, 100 + 400 * next()))
        running.child.kill('SIGTERM')
      }
      await Promise.all(sending)
      stopping = true
      cut += unanswered.length
      expect(await (round < rounds ? running.exit : running.stop('SIGTERM'))).toBe(0)
    }
    expect(unanswered).toEqual([])
    expect(cut).toBeGreaterThan(0)
    const args = ['tail', '--topic', 'events', '--from', 'earliest', '--no-follow', '--json', '--data-dir', data]
    const stored = (await eddy(...args)).stdout
      .trim()
      .split('\n')
      .map(line => (JSON.parse(line) as { key: string }).key)
    expect(stored.length).toBe(sent)
    expect(new Set(stored).size).toBe(sent)
  })
})
