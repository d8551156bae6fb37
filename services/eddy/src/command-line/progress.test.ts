import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { Progress } from './progress.ts'
import type { Terminal } from './terminal.ts'

function terminalOf(isTTY: boolean): { terminal: Terminal; shown: () => string } {
  const stderr = Object.assign(new PassThrough(), {
    isTTY,
    columns: 80,
    cursorTo() {},
    clearLine() {},
    moveCursor() {},
  })
  const terminal = { stdin: new PassThrough(), stdout: new PassThrough(), stderr, environment: {} }
  return { terminal, shown: () => String(stderr.read() ?? '') }
}

it.each([
  ['a terminal after two seconds', true, 2_000, true],
  ['not before', true, 1_999, false],
  ['never elsewhere', false, 60_000, false],
])('a bar shows on %s', (_, isTTY, elapsed, visible) => {
  const { terminal, shown } = terminalOf(isTTY)
  let now = 0
  const progress = new Progress(terminal, 'Reading x.csv', 100, () => now)
  progress.update(10)
  expect(shown()).toBe('')
  now = elapsed
  progress.update(50)
  progress.stop()
  expect(shown().includes('Reading x.csv')).toBe(visible)
})
