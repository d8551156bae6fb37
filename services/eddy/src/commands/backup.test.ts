import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { type Stored, storedLog } from '../testing/stored.ts'
import { backupCommand, restoreCommand } from './backup.ts'

let stored: Stored
beforeEach(async () => {
  stored = await storedLog()
  await stored.publish('eddy.events.v1', [{ key: Buffer.from('c1'), value: Buffer.from('{"x":1}'), partition: 0 }])
})
afterEach(() => stored.remove())
const at = (name: string): string => join(stored.folder, name)
const backup = (...argv: string[]) => runCommand(backupCommand, argv)
const restore = (...argv: string[]) => runCommand(restoreCommand, argv)

describe('eddy backup and restore', () => {
  it('copies the log and what lies beside it, and puts both where a log is to run', async () => {
    writeFileSync(join(stored.data, 'features.json'), '["x"]')
    const copied = await backup(at('copy'), '--data-dir', stored.data)
    expect([copied.code, copied.stderr]).toEqual([0, expect.stringMatching(/Backed up .* bytes, checked/)])
    const restored = await restore(at('copy'), '--data-dir', at('again'))
    expect([restored.code, restored.stderr]).toEqual([0, expect.stringMatching(/Restored .* bytes, checked/)])
    expect(readdirSync(at('again'))).toContain('features.json')
    expect(statSync(at('again')).mode & 0o777).toBe(0o700)
    const records = (await stored.records('eddy.events.v1')).length
    expect(records).toBe(1)
  })

  it('tells scripts what was copied, and errors on stderr', async () => {
    const copied = await backup(at('copy'), '--data-dir', stored.data, '--json')
    const { bytes } = JSON.parse(copied.stdout)
    expect(bytes).toBeGreaterThan(0)
    expect(copied).toEqual({
      stdout: `${JSON.stringify({ from: stored.data, to: at('copy'), bytes })}\n`,
      stderr: '',
      code: 0,
    })
    const restored = await restore(at('copy'), '--data-dir', at('again'), '--json')
    expect(JSON.parse(restored.stdout)).toEqual({ from: at('copy'), to: at('again'), bytes })
    expect(await backup(at('copy'), '--data-dir', stored.data, '--json')).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('expected a directory without a log, got one'),
    })
  })

  it('refuses to write over a log', async () => {
    await backup(at('copy'), '--data-dir', stored.data)
    expect(await backup(at('copy'), '--data-dir', stored.data)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('expected a directory without a log, got one'),
    })
    expect((await restore(at('copy'), '--data-dir', stored.data)).code).toBe(1)
  })

  it('says where there is nothing to copy or to restore, and leaves no folder behind', async () => {
    mkdirSync(at('empty'))
    for (const from of ['nowhere', 'empty']) {
      expect((await backup(at('copy'), '--data-dir', at(from))).code).toBe(1)
      expect((await restore(at(from), '--data-dir', at('target'))).code).toBe(1)
      expect([existsSync(at('copy')), existsSync(at('target'))]).toEqual([false, false])
    }
    expect(existsSync(at('nowhere'))).toBe(false)
  })
})
