import { spawnSync } from 'node:child_process'
import { appendFileSync, mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '@eddy/mixture'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'
import { EddyProcess, eddy, temporaryFolder } from '../eddy-process.ts'
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
  it(`says so, loses nothing it acknowledged, and goes on when there is room, ${runs} times`, {
    timeout: runs * 120_000,
  }, async () => {
    expect(mount.status, `a small file system needs root: ${mount.stderr}`).toBe(0)
    const next = random(Number(process.env.EDDY_SEED ?? 1))
    for (let run = 0; run < runs; run++) {
      const data = join(disk, `run-${run}`)
      const up = ['up', '--config', config, '--data-dir', data, '--port', '0']
      const running = new EddyProcess(up)
      onTestFinished(async () => void (await running.kill()))
      const url = await running.url()
      const acknowledged = new Set<string>()
      let refusals = ''
      const post = async (first: number): Promise<boolean> => {
        const body = syntheticEvents(100, run * 1000 + first, first)
        const response = await fetch(`${url}/v1/events`, { method: 'POST', body }).catch(() => undefined)
        if (response?.ok) for (let n = 0; n < 100; n++) acknowledged.add(`c${first + n}`)
        else refusals += (await response?.text().catch(() => '')) ?? ''
        return response?.ok === true
      }
      for (let n = 0; n < 10; n++) expect(await post(n * 100)).toBe(true)
      const ballast = join(disk, 'ballast')
      fill(ballast, Math.floor((0.2 + next()) * (1 << 20)))
      // Either the request is refused, or a stage meets the full disk first and the process ends.
      for (let n = 10; n < 1000 && (await post(n * 100)); n++);
      const full = /expected room to write, got a full disk/
      if (running.child.exitCode === null && !full.test(refusals)) await running.exit
      expect(refusals + running.stderr).toMatch(full)
      rmSync(ballast)
      if (running.child.exitCode === null) await running.stop('SIGTERM')
      const resumed = await eddy(...up, '--exit-when-drained', '--json')
      expect(resumed.stderr).not.toContain('"level":50')
      expect(resumed.code).toBe(0)
      const tail = ['tail', '--topic', 'labels', '--from', 'earliest', '--no-follow', '--json', '--data-dir', data]
      const labelled = (await eddy(...tail)).stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).value.customer as string)
      const known = new Set(labelled)
      expect([...acknowledged].filter(customer => !known.has(customer))).toEqual([])
      expect(new Set(labelled).size).toBe(labelled.length)
      expect(acknowledged.size).toBeGreaterThanOrEqual(1000)
      rmSync(data, { recursive: true })
    }
  })
})
