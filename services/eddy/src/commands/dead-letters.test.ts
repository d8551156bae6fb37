import { deadLetterRecord } from '@eddy/messages'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { type Stored, storedLog } from '../testing/stored.ts'
import { deadLettersCommand } from './dead-letters.ts'

const bytes = (text: string): Uint8Array => Buffer.from(text)
const letter = (offset: number, reason: string, value: string) =>
  deadLetterRecord({
    reason,
    message: `x: expected a number, got ${value}`,
    stage: 'ingest',
    topic: 'eddy.events.v1',
    partition: 0,
    offset,
    key: bytes('c1'),
    value: bytes(value),
    headers: [{ name: 'content-type', value: bytes('application/json') }],
  })

let stored: Stored
beforeAll(async () => {
  stored = await storedLog()
  const letters = [
    letter(3, 'out-of-bounds', '{"x":-1}'),
    letter(5, 'not-json', 'rubbish'),
    letter(8, 'out-of-bounds', '{"x":-2}'),
  ]
  await stored.publish(
    'eddy.dead-letters.v1',
    letters.map(record => ({ ...record, partition: 0 })),
  )
})
afterAll(() => stored.remove())

const run = (...argv: string[]) => runCommand(deadLettersCommand, [...argv, '--config', stored.config])
const appended = async () =>
  (await stored.records('eddy.events.v1')).map(({ key, value, headers }) => [
    Buffer.from(key as Uint8Array).toString(),
    Buffer.from(value as Uint8Array).toString(),
    Object.keys(headers),
  ])

describe('eddy dead-letters', () => {
  it('lists where each lies, where it came from and why, all or those of a reason', async () => {
    const all = await run('list', '--json')
    expect(all.code).toBe(0)
    const rows = all.stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(rows.map(row => [row.offset, row.reason, row.source.offset])).toEqual([
      [0, 'out-of-bounds', 3],
      [1, 'not-json', 5],
      [2, 'out-of-bounds', 8],
    ])
    const some = await run('list', '--reason', 'not-json')
    expect(some.stdout).toBe('0/1  not-json: x: expected a number, got rubbish  (eddy.events.v1 0/5)\n')
  })

  it('shows one of them whole', async () => {
    const { stdout } = await run('show', '0/1')
    expect(JSON.parse(stdout)).toMatchObject({
      reason: 'not-json',
      key: 'c1',
      headers: { 'content-type': 'application/json' },
      source: { topic: 'eddy.events.v1', partition: 0, offset: 5 },
    })
  })

  it('refuses a place where none lies, to show as to retry', async () => {
    for (const command of ['show', 'retry']) {
      const { code, stderr } = await run(command, '0/999')
      expect([command, code]).toEqual([command, 1])
      expect(stderr).toContain('dead letter: expected one at 0/999, got none')
      expect((await run(command, 'nowhere')).code).toBe(2)
    }
    expect(await appended()).toEqual([])
  })

  it('retries one, or those of a reason, as they were; they stay in the list', async () => {
    expect((await run('retry', '0/1')).stderr).toContain('Appended 1 event again')
    expect(await appended()).toEqual([['c1', 'rubbish', ['content-type']]])
    expect((await run('retry', '--reason', 'out-of-bounds')).stderr).toContain('Appended 2 events again')
    expect((await appended()).slice(1)).toEqual([
      ['c1', '{"x":-1}', ['content-type']],
      ['c1', '{"x":-2}', ['content-type']],
    ])
    expect((await run('list')).stdout.split('\n')).toHaveLength(4)
  })

  it('says that a vector of another form than the model’s will be refused again', async () => {
    await stored.publish('eddy.dead-letters.v1', [{ ...letter(9, 'unfit', 'a vector'), partition: 0 }])
    const { stderr } = await run('retry', '--reason', 'unfit')
    expect(stderr).toMatch(/Appended 1 event again\.\n1 feature vector among them .* refused again/)
  })

  it('says where nothing is of a reason', async () => {
    expect((await run('retry', '--reason', 'no-such-reason')).stderr).toContain('Appended 0 events again')
  })
})
