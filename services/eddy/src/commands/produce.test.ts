import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { type Stored, storedLog } from '../testing/stored.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { produceCommand } from './produce.ts'

let stored: Stored
beforeEach(async () => {
  stored = await storedLog()
})
afterEach(() => stored.remove())

const produce = (argv: readonly string[], stdin = '') =>
  runCommand(produceCommand, [...argv, '--config', stored.config], stdin)
const events = async () =>
  (await stored.records('eddy.events.v1')).map(({ key, value }) => [
    key && Buffer.from(key).toString(),
    JSON.parse(Buffer.from(value as Uint8Array).toString()),
  ])

describe('eddy produce', () => {
  it('appends the rows of a CSV file as events, keyed by the customer', async () => {
    const file = fileOf('produce.csv', 'customer_id,x,y\n9007199254740993,1,2\nb,3,4.5\n')
    const { code, stdout } = await produce(['--topic', 'events', '--input', file, '--key', 'customer_id', '--json'])
    expect([code, JSON.parse(stdout)]).toEqual([0, { topic: 'eddy.events.v1', appended: 2 }])
    expect(await events()).toEqual([
      ['9007199254740993', { customer: '9007199254740993', features: { x: 1, y: 2 } }],
      ['b', { customer: 'b', features: { x: 3, y: 4.5 } }],
    ])
  })

  it('appends what another program writes', async () => {
    const { code, stderr } = await produce(
      ['--topic', 'events', '--input', '-'],
      '{"customer":"a","features":{"x":1}}\n{"customer":"b","features":{"x":2}}\n',
    )
    expect([code, stderr]).toEqual([0, expect.stringContaining('Appended 2 events to eddy.events.v1')])
    expect((await events()).map(([key]) => key)).toEqual(['a', 'b'])
  })

  it('names file and line of what is no event, and leaves it out where that is asked for', async () => {
    const file = fileOf('ragged.csv', 'customer,x\na,1\nb\nc,3\n')
    const told = expect.stringMatching(/quarantine .*ragged\.csv:3: expected 2 cells \(customer, x\), got 1/)
    expect(await produce(['--topic', 'events', '--input', file])).toMatchObject({ code: 0, stderr: told })
    expect((await events()).map(([key]) => key)).toEqual(['a', null, 'c'])
    const skipped = await produce(['--topic', 'events', '--input', file, '--skip-invalid', '--json'])
    expect(JSON.parse(skipped.stdout).appended).toBe(2)
    expect(skipped.stderr).toMatch(/skipped .*ragged\.csv:3: /)
    const lines = '{"customer":"a","x":1}\n{"customer":\n{"x":1}\n'
    const broken = await produce(['--topic', 'events', '--input', '-', '--skip-invalid', '--json'], lines)
    expect(JSON.parse(broken.stdout).appended).toBe(1)
    expect(broken.stderr).toMatch(/skipped .*:2: expected a JSON object with a customer/)
  })

  it('says what is missing', async () => {
    expect((await produce(['--input', '-'])).code).toBe(2)
    const { code, stderr } = await produce(['--topic', 'events', '--input', 'no-such-file.csv'])
    expect([code, stderr]).toEqual([1, expect.stringContaining('no-such-file.csv')])
    const nowhere = await produce(['--topic', 'no-such-topic', '--input', '-'], '{"customer":"a"}\n')
    expect([nowhere.code, nowhere.stderr]).toEqual([1, expect.stringContaining('no-such-topic')])
    expect(await events()).toEqual([])
  })
})
