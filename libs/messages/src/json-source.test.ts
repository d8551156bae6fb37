import { describe, expect, it } from 'vitest'
import { customerId, sourceOf } from './json-source.ts'

describe('characters of a JSON value', () => {
  it('are those of the one that is named, not of its namesakes elsewhere', () => {
    const text = '{"a":{"id":1},"id":12345678901234567890,"features":{"id":2.50,"x":"\\u0041"},"z":[{"id":3}]}'
    expect(sourceOf(text, ['id'])).toBe('12345678901234567890')
    expect(sourceOf(text, ['features', 'id'])).toBe('2.50')
    expect(sourceOf(text, ['features', 'x'])).toBe('"\\u0041"')
    expect(sourceOf(text, ['features'])).toBeUndefined()
    expect(sourceOf(text, ['b', 'id'])).toBeUndefined()
    expect(sourceOf('null', ['id'])).toBeUndefined()
  })

  it('are those of the last of several keys, which is the one that counts', () => {
    expect(sourceOf('{"id":9007199254740993,"id":9007199254740995}', ['id'])).toBe('9007199254740995')
  })
})

describe('a customer', () => {
  const of = (text: string) => customerId(JSON.parse(text).customer, () => text)
  it('is its text, or its digits', () => {
    expect(of('{"customer":"c1"}')).toBe('c1')
    expect(of('{"customer":42}')).toBe('42')
    expect(of('{"customer":9007199254740993}')).toBe('9007199254740993')
    expect(of('{"features":{"customer":1},"customer":-18446744073709551615}')).toBe('-18446744073709551615')
    for (const other of ['1.5', '1e300', 'null', 'true', '[1]']) expect(of(`{"customer":${other}}`)).toBeUndefined()
  })
})
