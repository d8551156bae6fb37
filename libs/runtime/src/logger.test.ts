import { expect, it } from 'vitest'
import { createLogger } from './logger.ts'

it('writes no control character, whatever is told, and the same JSON', () => {
  const lines: string[] = []
  const logger = createLogger('info', { write: line => void lines.push(line) })
  const hostile = 'a\u001b[31m\u009b31m\u0085\u007f\r\n\u2028é'
  logger.info({ by: hostile, [hostile]: 1 }, hostile)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  expect(lines.join('').replace(/\n$/, '')).not.toMatch(/[\x00-\x1f\x7f-\x9f]/)
  expect(JSON.parse(lines.join(''))).toMatchObject({ by: hostile, [hostile]: 1, msg: hostile })
})
