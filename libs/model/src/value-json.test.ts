import { expect, it } from 'vitest'
import { valueJson } from './value-json.ts'

const shown = (text: string): string => JSON.stringify(valueJson({ value: Buffer.from(text) }))

it('a value is shown as JSON with all digits of an id of 64 bits, and as text where it is no JSON', () => {
  const event = '{"customer":9007199254740993,"features":{"x":0.1,"y":-0.5e3}}'
  expect(shown(event)).toBe('{"customer":9007199254740993,"features":{"x":0.1,"y":-500}}')
  expect(shown('-18446744073709551615')).toBe('-18446744073709551615')
  expect(shown('rubbish')).toBe('"rubbish"')
  expect(JSON.stringify(valueJson({ value: null }))).toBe('null')
})
