import { setImmediate } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { inTurn } from './turns.ts'

test('work is done in the order asked, one piece a turn, also what is asked meanwhile', async () => {
  const done: string[] = []
  inTurn(() => {
    done.push('a')
    inTurn(() => done.push('d'))
  })
  for (const name of ['b', 'c']) inTurn(() => done.push(name))
  const seen: string[] = []
  while (seen.length < 4) {
    await setImmediate()
    seen.push(done.join(''))
  }
  expect(seen).toEqual(['a', 'ab', 'abc', 'abcd'])
})

test('work that fails keeps nothing from being done', async () => {
  const failures: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.once('uncaughtException', error => failures.push(error))
  try {
    inTurn(() => {
      throw new Error('fails')
    })
    await new Promise<void>(resolve => inTurn(resolve))
    await setImmediate()
    expect(failures).toEqual([new Error('fails')])
  } finally {
    for (const listener of listeners) process.on('uncaughtException', listener)
  }
})
