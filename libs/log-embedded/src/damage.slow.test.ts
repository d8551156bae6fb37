import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { LogError } from '@eddy/log'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contents, copyLog, filesOf, fill, makeKilledLog } from './damage.fixture.ts'
import { openEmbeddedLog, verifyLog } from './index.ts'

const runs = Number(process.env.EDDY_RUNS ?? 1000)
const folder = mkdtempSync(join(tmpdir(), 'eddy-damage-'))
const [killed, hurt] = [join(folder, 'killed'), join(folder, 'hurt')]
let intact: unknown
beforeAll(async () => {
  await makeKilledLog(killed, join(folder, 'scratch'))
  copyLog(killed, hurt)
  const log = openEmbeddedLog(hurt)
  intact = await contents(log)
  await log.close()
})
afterAll(() => rmSync(folder, { recursive: true }))

let seed = Number(process.env.EDDY_SEED ?? 1)
/** Uniform on [0, 1): a Lehmer generator (Park and Miller 1988). */
const random = (): number => {
  seed = (seed * 48_271) % 2_147_483_647
  return seed / 2_147_483_647
}

/** What the log says, unless it says that it is damaged. */
async function said(directory: string): Promise<unknown> {
  try {
    const log = openEmbeddedLog(directory)
    try {
      const all = await contents(log)
      await log.publish([{ topic: 'output', records: [{ key: null, value: Buffer.from('on'), partition: 0 }] }])
      return all
    } finally {
      await log.close()
    }
  } catch (error) {
    expect(error).toBeInstanceOf(LogError)
    return undefined
  }
}

test(`${runs} bits, each flipped in a log of its own: every one is noticed, or does no harm`, {
  timeout: runs * 2000,
}, async () => {
  let noticed = 0
  for (let run = 0; run < runs; run++) {
    copyLog(killed, hurt)
    const files = filesOf(hurt)
    const sizes = files.map(file => statSync(file).size)
    let at = Math.floor(random() * sizes.reduce((sum, size) => sum + size, 0))
    let which = 0
    while (at >= sizes[which]!) at -= sizes[which++]!
    const file = files[which]!
    const bytes = readFileSync(file)
    const bit = 1 << Math.floor(random() * 8)
    bytes[at]! ^= bit
    writeFileSync(file, bytes)
    const all = await said(hurt)
    if (all === undefined) noticed++
    else {
      expect(all, `bit ${bit} of byte ${at} of ${file}`).toEqual(intact)
      // Nothing that was harmless becomes harm when the log goes on.
      const after = await verifyLog(hurt).catch((error: unknown) => error)
      if (after instanceof LogError) noticed++
    }
  }
  console.log(`${noticed} of ${runs} flipped bits were noticed, the others did no harm`)
  expect(noticed).toBeGreaterThan(runs / 4)
})

test('copies made while the log is written to are whole or refused', { timeout: 600_000 }, async () => {
  const source = join(folder, 'scratch')
  const log = openEmbeddedLog(source)
  let n = 200
  let refused = 0
  const copies = Number(process.env.EDDY_COPIES ?? 50)
  for (let copy = 0; copy < copies; copy++) {
    let go = true
    const writing = (async () => {
      while (go) await fill(log, n++, 1)
    })()
    for (let turns = 0; turns < 30; turns++) await new Promise(resolve => setImmediate(resolve))
    // File by file, as `cp` does, with commits in between.
    rmSync(hurt, { recursive: true, force: true })
    const { mkdirSync, copyFileSync } = await import('node:fs')
    mkdirSync(hurt)
    for (const file of filesOf(source)) {
      if (copy % 3 !== 1 || !file.endsWith('-wal')) copyFileSync(file, join(hurt, file.slice(source.length + 1)))
      for (let turns = 0; turns < 200; turns++) await new Promise(resolve => setImmediate(resolve))
    }
    go = false
    await writing
    const given = (await log.offsets('output'))[0]!.end
    try {
      const torn = openEmbeddedLog(hurt)
      try {
        const all = (await contents(torn)) as { records: { value: string }[]; offsets: { end: number }[] }[]
        const { records, offsets } = all[1]!
        expect(records).toHaveLength(offsets[0]!.end)
        expect(offsets[0]!.end).toBeLessThanOrEqual(given)
      } finally {
        await torn.close()
      }
    } catch (error) {
      expect(error).toBeInstanceOf(LogError)
      refused++
    }
  }
  console.log(`${refused} of ${copies} torn copies were refused, the others were whole`)
  await log.close()
})
