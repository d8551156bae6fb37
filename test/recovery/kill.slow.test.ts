import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { random } from '@eddy/mixture'
import { afterAll, describe, expect, it } from 'vitest'
import { EddyProcess, eddy, replayArguments, temporaryFolder } from '../eddy-process.ts'
import { syntheticEvents } from '../synthetic-events.ts'

const runs = Number(process.env.EDDY_RUNS ?? 50)
const events = 40_000
const folder = temporaryFolder()
afterAll(() => folder.remove())

const config = join(folder.path, 'eddy.yaml')
writeFileSync(
  config,
  'model: { name: test, components: 3, batchSize: 128, maxWaitMs: 20, warmUp: { events: 1000 } }\nfeatures: [{ name: x }, { name: y }]\n',
)
const lines = syntheticEvents(events).trim().split('\n')
const third = (line: string): boolean => (JSON.parse(line) as { features: { y: number } }).features.y > 3
const before = lines.filter(line => !third(line)).slice(0, 2000)
const early = new Set(before)
const inputs = {
  'a replay': lines,
  // After the warm-up: segments are learned anew from the features topic.
  'a replay in which a segment comes late': [...before, ...lines.filter(line => !early.has(line))],
}

async function outcome(
  input: string,
  data: string,
): Promise<{ totals: object; identity: string; ledger: object; version: number; offsets: readonly number[] }> {
  const finished = await eddy(...replayArguments({ config, input, data }))
  expect(finished.stderr).not.toContain('"level":50')
  expect(finished.code).toBe(0)
  const { identity, ledger, version } = JSON.parse((await eddy('inspect', '--json', '--data-dir', data)).stdout)
  const labels = (
    await eddy('tail', '--topic', 'labels', '--from', 'earliest', '--no-follow', '--json', '--data-dir', data)
  ).stdout
  const offsets = labels
    .trim()
    .split('\n')
    .map(line => JSON.parse(line).value.source.offset as number)
  return { totals: JSON.parse(finished.stdout.trim().split('\n').at(-1) as string), identity, ledger, version, offsets }
}

describe.each(Object.entries(inputs))(
  'eddy up, killed with kill −9 in the middle of %s and started again',
  (name, contents) => {
    it(`ends in the same bytes as a run that was not interrupted, ${runs} times`, {
      timeout: runs * 60_000 + 60_000,
    }, async () => {
      const input = join(folder.path, `${name}.ndjson`)
      writeFileSync(input, `${contents.join('\n')}\n`)
      const began = performance.now()
      const uninterrupted = await outcome(input, join(folder.path, `${name}-uninterrupted`))
      const duration = performance.now() - began
      expect(uninterrupted.totals).toMatchObject({ events, labels: events, deadLetters: 0 })
      expect(uninterrupted.offsets).toEqual(Array.from({ length: events }, (_, n) => n))
      const next = random(Number(process.env.EDDY_SEED ?? 1))
      let interrupted = 0
      for (let run = 0; interrupted < runs; run++) {
        const data = join(folder.path, `${name}-killed-${run}`)
        const running = new EddyProcess(replayArguments({ config, input, data }))
        await running.url()
        // A random moment of the replay: the wait is the fault that is injected, not a synchronisation.
        await Promise.race([running.exit, new Promise(resolve => setTimeout(resolve, next() * 0.3 * duration))])
        if (await running.kill()) interrupted++
        expect(await outcome(input, data)).toEqual(uninterrupted)
        rmSync(data, { recursive: true })
      }
    })
  },
)
