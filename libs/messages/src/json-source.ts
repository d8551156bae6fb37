/** What `JSON.parse` tells a reviver of a number, a text, true, false or null: its characters. */
interface Context {
  readonly source?: string
}
type Reviver = (this: unknown, key: string, value: unknown, context: Context) => unknown

/**
 * The characters of a value of a JSON text that is no object and no list, e.g. all digits of a number that a double cannot hold.
 * @param path names of the objects it lies in, outermost first, and its own
 * @returns undefined where there is no such value
 */
export function sourceOf(text: string, path: readonly string[]): string | undefined {
  const sources = new WeakMap<object, Map<string, string>>()
  const note: Reviver = function (key, value, { source }) {
    if (source !== undefined && key === path.at(-1)) {
      const holder = this as object
      sources.set(holder, (sources.get(holder) ?? new Map<string, string>()).set(key, source))
    }
    return value
  }
  let holder: unknown
  try {
    holder = JSON.parse(text, note as (this: unknown, key: string, value: unknown) => unknown)
  } catch (error) {
    // A reviver cannot follow what is nested too deeply, even where the parser can.
    if (error instanceof RangeError) return undefined
    throw error
  }
  for (const name of path.slice(0, -1)) holder = (holder as Record<string, unknown> | null)?.[name]
  return typeof holder === 'object' && holder !== null ? sources.get(holder)?.get(path.at(-1)!) : undefined
}

/**
 * The customer that an event names: text as it is, a whole number by its digits, however many they are (ids of 64 bits lose their last
 * ones as a double, and different customers become one). Undefined for anything else.
 * @param text the event, from which `customer` was parsed
 */
export function customerId(customer: unknown, text: () => string): string | undefined {
  if (typeof customer === 'string') return customer
  if (typeof customer !== 'number') return undefined
  if (Number.isSafeInteger(customer)) return String(customer)
  const source = sourceOf(text(), ['customer'])
  return source !== undefined && /^-?\d+$/.test(source) ? source : undefined
}
