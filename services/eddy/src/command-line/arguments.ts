import { type FeatureType, featureTypes } from '@eddy/mixture'
import type { FeatureColumn } from '@eddy/records'
import { InvalidArgumentError } from 'commander'

/** Parser of a whole number of a range, for a Commander option. */
export function wholeNumber(least: number, largest = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return text => {
    const value = Number(text)
    if (/^-?\d+$/.test(text) && value >= least && value <= largest) return value
    const range = largest === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${largest}`
    throw new InvalidArgumentError(`Expected a whole number ${range}, got "${text}".`)
  }
}

/** Parser of a number with `least` ≤ or < number ≤ or < `largest`, as `range` says, e.g. `(0.5, 1]`. */
export function decimal(range: string): (text: string) => number {
  const [, open, least, largest, close] = /^([[(])(.+), (.+)([\])])$/.exec(range)!
  return text => {
    const value = Number(text)
    const above = open === '[' ? value >= Number(least) : value > Number(least)
    const below = close === ']' ? value <= Number(largest) : value < Number(largest)
    if (text.trim() !== '' && above && below) return value
    throw new InvalidArgumentError(`Expected a number in ${range}, got "${text}".`)
  }
}

/** Parser of `a,b,c`. */
export function nameList(text: string): readonly string[] {
  const names = text.split(',').map(name => name.trim())
  if (names.some(name => name === '')) {
    throw new InvalidArgumentError(`Expected names separated by commas, got "${text}".`)
  }
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice !== undefined) throw new InvalidArgumentError(`Expected different names, got "${twice}" twice.`)
  return names
}

/** Parser of `a=number,b=count,c=category,d=boolean`. */
export function typeList(text: string): ReadonlyMap<string, FeatureType> {
  return new Map(
    nameList(text).map(pair => {
      const [name, type, ...more] = pair.split('=')
      if (!name || !type || more.length > 0 || !featureTypes.some(known => known === type)) {
        throw new InvalidArgumentError(`Expected name=type with a type of ${featureTypes.join(', ')}, got "${pair}".`)
      }
      return [name, type as FeatureType]
    }),
  )
}

/**
 * Columns of `--features`, with their types; those that only `--types` names follow. Undefined without `--features`: then every column of
 * the input is one, and `--types` says what some of them are.
 */
export function featureColumns(
  features: readonly string[] | undefined,
  typed: ReadonlyMap<string, FeatureType> = new Map(),
): readonly FeatureColumn[] | undefined {
  if (features === undefined) return undefined
  return [...new Set([...features, ...typed.keys()])].map(name => ({ name, type: typed.get(name) ?? 'number' }))
}
