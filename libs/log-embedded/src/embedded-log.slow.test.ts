import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readAll } from '@eddy/log/testing'
import { expect, test } from 'vitest'
import { openEmbeddedLog } from './embedded-log.ts'

const RUNS = Number(process.env.EDDY_RUNS ?? 20)
const fixture = fileURLToPath(new URL('./relay.fixture.ts', import.meta.url))

test(`kill −9 at ${RUNS} random points: nothing acknowledged is lost, positions and records agree`, async () => {
  const directory = await mkdtemp(join(tmpdir(), 'eddy-log-'))
  const acknowledged = new Map<string, string>()
  const settled = [0, 0]
  let copies = 0
  for (let run = 0; run < RUNS; run++) {
    const child = spawn(process.execPath, ['-C', 'source', fixture, directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let out = ''
    child.stdout.on('data', chunk => {
      out += chunk
    })
    await once(child.stdout, 'data')
    await new Promise(resolve => setTimeout(resolve, Math.random() * 150))
    child.kill('SIGKILL')
    await once(child, 'close')
    for (const line of out.slice(0, out.lastIndexOf('\n')).split('\n')) {
      const [kind, partition, offset, value] = line.split(' ')
      if (kind === 'input') acknowledged.set(`${partition}/${offset}`, value!)
      else settled[Number(partition)] = Math.max(settled[Number(partition)]!, Number(offset))
    }
    const log = openEmbeddedLog(directory)
    const input = new Map((await readAll(log, 'input')).map(r => [`${r.partition}/${r.offset}`, r.value]))
    for (const [place, value] of acknowledged) expect(input.get(place), place).toBe(value)
    const positions = await log.positions('input', 'relay')
    const output = await readAll(log, 'output')
    const copy = await readAll(log, 'copy')
    const copied = await log.positions('output', 'copy')
    copies += copy.length
    for (const partition of [0, 1]) {
      const position = positions.get(partition) ?? 0
      expect(position).toBeGreaterThanOrEqual(settled[partition]!)
      // Exactly the input below the position has been relayed, once, in order.
      const relayed = output.filter(r => r.partition === partition)
      expect(relayed.map(({ key }) => Number(key))).toEqual(Array.from({ length: position }, (_, i) => i))
      for (const { key, value } of relayed) expect(value).toBe(input.get(`${partition}/${key}`))
      // What was relayed ahead of the disk rests on nothing that was lost, and is there once.
      expect(copy.filter(r => r.partition === partition)).toEqual(relayed.slice(0, copied.get(partition) ?? 0))
    }
    await log.close()
  }
  expect(acknowledged.size).toBeGreaterThan(RUNS)
  expect(copies).toBeGreaterThan(RUNS)
  await rm(directory, { recursive: true })
})

/** Whether this system lets us mount a small file system of our own. */
const mayMount = spawnSync('unshare', ['-rm', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']).status === 0

test.runIf(mayMount)('a disk that is really full: a clear error, nothing lost, works again when there is room', () => {
  const script = `
    import { openEmbeddedLog } from ${JSON.stringify(new URL('./embedded-log.ts', import.meta.url).href)}
    import { readAll } from '@eddy/log/testing'
    import { randomBytes } from 'node:crypto'
    import { rmSync, writeFileSync } from 'node:fs'
    writeFileSync('/mnt/ballast', Buffer.alloc(10 << 20))
    const log = openEmbeddedLog('/mnt/log')
    await log.ensureTopics({ t: { partitions: 1, cleanup: 'delete' } })
    const value = randomBytes(100_000) // which no compression makes smaller
    const key = null, partition = 0
    let stored = 0, error
    while (!error) await log.publish([{ topic: 't', records: [{ key, value, partition }] }]).then(() => stored++, e => { error = e })
    const full = (await readAll(log, 't')).length
    rmSync('/mnt/ballast')
    for (let i = 0; i < 5; i++) await log.publish([{ topic: 't', records: [{ key, value, partition }] }])
    await log.close()
    const again = openEmbeddedLog('/mnt/log')
    console.log(JSON.stringify({ name: error.name, message: error.message, stored, full, after: (await readAll(again, 't')).length }))`
  const mount = 'mount -t tmpfs -o size=20m tmpfs /mnt && exec "$0" -C source --input-type=module -e "$1"'
  const { stdout, stderr } = spawnSync('unshare', ['-rm', 'sh', '-c', mount, process.execPath, script], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({ name: 'LogError', message: expect.stringMatching(/full disk/) })
  expect(result.stored).toBeGreaterThan(10)
  expect([result.full, result.after]).toEqual([result.stored, result.stored + 5])
})
