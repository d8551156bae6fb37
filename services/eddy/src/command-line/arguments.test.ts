import { describe, expect, it } from 'vitest'
import { decimal, featureColumns, nameList, typeList, wholeNumber } from './arguments.ts'

describe('arguments', () => {
  it('are whole numbers of a range', () => {
    expect(wholeNumber(1, 10)('10')).toBe(10)
    for (const text of ['0', '11', '1.5', '1e1', 'x', '']) {
      expect(() => wholeNumber(1, 10)(text)).toThrow(`Expected a whole number from 1 to 10, got "${text}".`)
    }
    expect(() => wholeNumber(2)('1')).toThrow('of at least 2, got "1"')
  })

  it('are numbers of an interval, open or closed', () => {
    const alpha = decimal('(0.5, 1]')
    expect([alpha('1'), alpha('0.6'), decimal('[0, Infinity)')('1e3')]).toEqual([1, 0.6, 1000])
    for (const text of ['0.5', '1.1', 'NaN', '', ' ', 'x']) expect(() => alpha(text)).toThrow(`(0.5, 1], got "${text}"`)
    expect(() => decimal('[0, Infinity)')('Infinity')).toThrow('got "Infinity"')
  })

  it('are different names', () => {
    expect(nameList('a, b,c')).toEqual(['a', 'b', 'c'])
    expect(() => nameList('a,,b')).toThrow('names separated by commas')
    expect(() => nameList('a,b,a')).toThrow('got "a" twice')
  })

  it('are types of features, which make features beside others', () => {
    const types = typeList('a=count,c=category')
    expect(featureColumns(['b', 'a'], types)).toEqual([
      { name: 'b', type: 'number' },
      { name: 'a', type: 'count' },
      { name: 'c', type: 'category' },
    ])
    expect(featureColumns(undefined)).toBeUndefined()
    for (const text of ['a', 'a=text', '=count', 'a=count=1'])
      expect(() => typeList(text)).toThrow(/Expected name=type/)
  })
})
