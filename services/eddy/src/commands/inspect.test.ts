import { snapshotRecords } from '@eddy/model'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { featureRecords, warmedUp } from '../../../stepwise-em/src/testing.ts'
import { runCommand } from '../testing/run-command.ts'
import { type Stored, storedLog } from '../testing/stored.ts'
import { inspectCommand } from './inspect.ts'

let stored: Stored
beforeAll(async () => {
  stored = await storedLog()
})
afterAll(() => stored.remove())
const inspect = (...argv: string[]) => runCommand(inspectCommand, ['--config', stored.config, ...argv])

it('before there is a snapshot, tells what has come so far: to scripts as JSON, with the same exit code', async () => {
  await stored.publish('eddy.events.v1', [{ key: null, value: Uint8Array.of(1), partition: 0 }])
  const missing = expect.stringMatching(
    /^eddy: .*: expected a snapshot, got none of 1 event so far\. Is the model still/,
  )
  expect(await inspect()).toEqual({ code: 1, stdout: '', stderr: missing })
  const { code, stdout, stderr } = await inspect('--json')
  expect({ code, stderr }).toEqual({ code: 1, stderr: missing })
  expect(JSON.parse(stdout)).toEqual({
    model: 'test',
    version: null,
    events: 1,
    labels: 0,
    deadLetters: 0,
    segments: [],
  })
})

it('tells no figure that there is none of', async () => {
  const snapshot = { ...(await warmedUp(featureRecords(300))), prequentialLogLikelihood: Number.NaN }
  await stored.publish('eddy.snapshots.v1', snapshotRecords(snapshot, 900_000))
  const { code, stdout } = await inspect()
  expect([code, stdout]).toEqual([0, expect.stringContaining('prequential log-likelihood – nats/event')])
  expect(stdout).not.toContain('NaN')
})
