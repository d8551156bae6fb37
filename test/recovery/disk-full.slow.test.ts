import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '@eddy/mixture'
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { EddyProcess, eddy, temporaryFolder } from '../eddy-process.ts'
import { postEvents } from '../post-events.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const runs = Number(process.env.EDDY_RUNS ?? 20)
const folder = temporaryFolder()
const disk = join(folder.path, 'disk')
mkdirSync(disk)
const mount = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${48 << 20}`, 'tmpfs', disk], { encoding: 'utf8' })
afterAll(() => {
  spawnSync('umount', ['-l', disk])
  folder.remove()
})
const config = join(folder.path, 'eddy.yaml')
writeFileSync(
  config,
  'model: { components: 3, batchSize: 128, maxWaitMs: 100, warmUp: { events: 500 } }\nfeatures: [{ name: x }, { name: y }]\n',
)

/** Takes what room there is but for so many bytes; piece by piece, as others write meanwhile. */
function fill(ballast: string, spareBytes: number): void {
  for (;;) {
    const { bsize, bavail } = statfsSync(disk)
    const piece = Math.min(bsize * bavail - spareBytes, 64 << 10)
    if (piece <= 0) return
    appendFileSync(ballast, Buffer.alloc(piece))
  }
}

describe('the disk under the embedded log is full', () => {
  it(`new events are refused, stages wait, nothing acknowledged is lost, and there is a way out, ${runs} times`, {
    timeout: runs * 120_000,
  }, async () => {
    expect(mount.status, `a small file system needs root: ${mount.stderr}`).toBe(0)
    const next = random(Number(process.env.EDDY_SEED ?? 1))
    for (let run = 0; run < runs; run++) {
      const data = join(disk, `run-${run}`)
      const up = ['up', '--config', config, '--data-dir', data, '--port', '0']
      let running = new EddyProcess(up)
      onTestFinished(async () => void (await running.kill()))
      let url = await running.url()
      const acknowledged = new Set<string>()
      let refusal: Response | undefined
      const post = async (first: number): Promise<boolean> => {
        const body = syntheticEvents(100, run * 1000 + first, first)
        const response = await postEvents(url, body)
        if (response.ok) for (let n = 0; n < 100; n++) acknowledged.add(`c${first + n}`)
        else refusal = response
        return response.ok
      }
      let n = 0
      for (; n < 10; n++) expect(await post(n * 100)).toBe(true)
      const ballast = join(disk, 'ballast')
      // By turns: little room, so that new events are refused while stages work; or none at all.
      const spare = run % 2 === 0 ? Math.floor(next() * (2 << 20)) : 0
      fill(ballast, spare)
      for (; n < 1000 && (await post(n * 100)); n++);
      expect(refusal?.status).toBe(503)
      expect(Number(refusal?.headers.get('retry-after'))).toBeGreaterThan(0)
      expect(await refusal?.text()).toMatch(/expected room/)
      // The process lives, and says that it is not ready.
      fill(ballast, 0)
      expect(await post(100_000)).toBe(false)
      expect((await fetch(`${url}/livez`)).status).toBe(200)
      expect((await fetch(`${url}/readyz`)).status).toBe(503)
      if (run % 3 === 0) {
        // The way out without other files to delete: what is learned and labelled may go, on the full disk.
        await running.stop('SIGTERM')
        const compacted = await eddy('compact', '--config', config, '--data-dir', data, '--retention-hours', '1000')
        expect(compacted.stderr).toMatch(/Dropped/)
        expect(compacted.code).toBe(0)
        rmSync(ballast)
        running = new EddyProcess(up)
        url = await running.url()
      } else rmSync(ballast)
      await vi.waitFor(async () => expect(await post(++n * 100)).toBe(true), 20_000)
      await running.stop('SIGTERM')
      const resumed = await eddy(...up, '--exit-when-drained', '--json')
      expect(resumed.stderr).not.toContain('"level":50')
      expect(resumed.code, resumed.stderr).toBe(0)
      const tail = ['tail', '--topic', 'labels', '--from', 'earliest', '--no-follow', '--json', '--data-dir', data]
      const labelled = (await eddy(...tail)).stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).value.customer as string)
      const known = new Set(labelled)
      expect([...acknowledged].filter(customer => !known.has(customer))).toEqual([])
      expect(new Set(labelled).size).toBe(labelled.length)
      expect(acknowledged.size).toBeGreaterThanOrEqual(1000)
      expect((await eddy('verify', '--data-dir', data)).code).toBe(0)
      rmSync(data, { recursive: true })
    }
  })

  it('retention and eddy compact make room on it', { timeout: 240_000 }, async () => {
    const data = join(disk, 'compact')
    const up = ['up', '--config', config, '--data-dir', data, '--port', '0']
    const running = new EddyProcess(up)
    onTestFinished(async () => void (await running.kill()))
    const url = await running.url()
    const post = (n: number) => postEvents(url, syntheticEvents(1000, n, n * 1000)).catch(() => undefined)
    const ballast = join(disk, 'ballast')
    // More than new events must find room for, compressed.
    for (let n = 0; n < 60; n++) expect((await post(n))?.status).toBe(200)
    await vi.waitFor(async () => {
      expect(await (await fetch(`${url}/metrics`)).text()).toContain(
        'eddy_model_learned_events{model="customers"} 60000',
      )
    }, 60_000)
    fill(ballast, 0)
    expect((await post(60))?.status).toBe(503)
    await running.stop('SIGTERM')
    fill(ballast, 0)
    const compacted = await eddy('compact', '--config', config, '--data-dir', data, '--retention-hours', '0.0001')
    expect(compacted.stderr).toMatch(/eddy.events.v1\/0: dropped offsets 0 to \d+/)
    expect(compacted.code, compacted.stderr).toBe(0)
    const again = new EddyProcess(up)
    onTestFinished(async () => void (await again.kill()))
    const other = await again.url()
    const body = syntheticEvents(1000, 61, 61_000)
    expect((await postEvents(other, body)).status).toBe(200)
    await again.stop('SIGTERM')
    rmSync(ballast)
    rmSync(data, { recursive: true })
  })
})
