import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it, onTestFinished } from 'vitest'
import { Crew } from './crew.ts'
import { layoutOf } from './shared-parameters.ts'
import { allocate, Operation } from './shared-work.ts'
import { warmedUp } from './testing.ts'

const { specification, parameters, statistics } = warmedUp()
const layout = { threads: 2, rows: 64, columns: 2, components: 2, statisticsLength: statistics.length }
/** Nothing to do but in the first part. */
const work = { operation: Operation.expectation, rows: 0, columns: 2, slice: 64 }

function crewOf(patience: number): Crew {
  const crew = new Crew(2, 'auto', {}, { patience, rest: 2 })
  onTestFinished(() => crew.close())
  crew.send(allocate(specification, { ...layout, parameters: layoutOf(parameters) }))
  return crew
}

/** Turns of the event loop. */
function turnsCounted(): () => number {
  let turns = 0
  const turn = () => {
    turns++
    next = setImmediate(turn)
  }
  let next = setImmediate(turn)
  onTestFinished(() => clearImmediate(next))
  return () => turns
}

/** A part that tells of each slice at which turn it is done. */
function* part(slices: number, seen: number[], turns: () => number): Generator<void, void> {
  for (let i = 0; i < slices; i++) {
    if (i > 0) yield
    seen.push(turns())
  }
}

it('gives way to the event loop between two slices of the calling thread', async () => {
  const seen: number[] = []
  await crewOf(Number.POSITIVE_INFINITY).work(work, part(4, seen, turnsCounted()))
  expect(new Set(seen).size).toBe(4)
})

it('leaves the rest to the first thread once the event loop has other work, and the next pieces of work wholly', async () => {
  const crew = crewOf(0)
  const turns = turnsCounted()
  for (const slices of [1, 0, 0, 1, 0]) {
    const seen: number[] = []
    await crew.work(work, part(4, seen, turns))
    expect(seen).toHaveLength(slices)
  }
})

it('does no further slice once it is closed', async () => {
  const seen: number[] = []
  const crew = crewOf(Number.POSITIVE_INFINITY)
  const outcome = expect(crew.work(work, part(Number.POSITIVE_INFINITY, seen, turnsCounted()))).rejects.toThrow(
    /E-step thread/,
  )
  while (seen.length < 3) await nextTurn()
  await crew.close()
  await outcome
  const { length } = seen
  for (let i = 0; i < 3; i++) await nextTurn()
  expect(seen).toHaveLength(length)
})
