import type { FeatureType } from '@eddy/mixture'
import { booleanOf, type FeatureColumn, FeatureReader, numeralOf, saysMissing } from './feature-columns.ts'
import { InputError } from './input-error.ts'
import type { InputRecord } from './input-record.ts'

/** What is learned of an input whose features nobody named, and what is not. */
export interface ColumnPlan {
  readonly columns: readonly PlannedColumn[]
  /** records looked at */
  readonly records: number
}

export interface PlannedColumn {
  readonly name: string
  /** as it is learned; absent where it is left out */
  readonly type?: FeatureType | undefined
  /** what it is for instead, e.g. to name the customer */
  readonly role?: string | undefined
  /** why it is left out, where that lies in its values */
  readonly reason?: string | undefined
  /** records looked at that have no value here */
  readonly missing: number
  /** records looked at whose value is none of this type */
  readonly wrong: number
}

export interface PlanOptions {
  /** columns that are for something else, by name: what that is */
  readonly roles: ReadonlyMap<string, string>
  /** columns that are left out, by name: why */
  readonly reasons?: ReadonlyMap<string, string> | undefined
  /** types that are known */
  readonly types?: ReadonlyMap<string, FeatureType> | undefined
  /** all that is learned, where that is known */
  readonly features?: readonly FeatureColumn[] | undefined
}

/** The columns that are learned, in the order of the input. */
export const plannedFeatures = ({ columns }: ColumnPlan): readonly FeatureColumn[] =>
  columns.flatMap(({ name, type }) => (type === undefined ? [] : [{ name, type }]))

/**
 * Looks at records and takes for numbers the columns of which at least half of the values are: a wrong or missing cell is no
 * reason to do without a column. What identifies a record is left out: its numbers measure nothing.
 */
export function planColumns(records: readonly InputRecord[], options: PlanOptions): ColumnPlan {
  const { roles, reasons, types, features } = options
  const known = new Map(features?.map(feature => [feature.name, feature]))
  for (const [name, type] of types ?? []) known.set(name, { name, type })
  const names = new Set([...records.flatMap(record => record.names()), ...(features ?? []).map(({ name }) => name)])
  names.delete('')
  const planned = (name: string): PlannedColumn => {
    const feature = known.get(name)
    const { missing, ...seen } = look(records, name)
    if (feature !== undefined) return { name, type: feature.type, missing, wrong: wrongValues(records, feature) }
    const role = roles.get(name)
    if (role !== undefined) return { name, role, missing, wrong: 0 }
    const reason = features === undefined ? (reasons?.get(name) ?? whyNot(name, seen)) : 'not among the features'
    if (reason !== undefined) return { name, reason, missing, wrong: 0 }
    return { name, type: 'number', missing, wrong: seen.others }
  }
  return { records: records.length, columns: [...names].map(planned) }
}

/** Values that are none of a feature. */
function wrongValues(records: readonly InputRecord[], feature: FeatureColumn): number {
  const reader = new FeatureReader(feature, '')
  return records.filter(record => {
    try {
      reader.read(record)
      return false
    } catch (error) {
      if (!(error instanceof InputError)) throw error
      return true
    }
  }).length
}

interface Seen {
  readonly missing: number
  /** values that are no number */
  readonly others: number
  readonly booleans: number
  readonly numbers: readonly number[]
}

function look(records: readonly InputRecord[], name: string): Seen {
  const numbers: number[] = []
  let [missing, others, booleans] = [0, 0, 0]
  for (const record of records) {
    const value = record.get(name)
    const number = record.textual && typeof value === 'string' ? numeralOf(value) : value
    if (value === undefined || value === null || saysMissing(record, value)) missing++
    else if (typeof number === 'number' && !Number.isNaN(number)) numbers.push(number)
    else {
      others++
      if (booleanOf(record, value) !== undefined) booleans++
    }
  }
  return { missing, others, booleans, numbers }
}

function whyNot(name: string, { numbers, others, booleans }: Omit<Seen, 'missing'>): string | undefined {
  if (others > numbers.length) {
    return booleans === others
      ? 'true or false: it can be learned with the type boolean'
      : 'text: it can be learned with the type category'
  }
  if (numbers.length < 3 || !numbers.every(Number.isInteger)) return undefined
  const distinct = new Set(numbers).size === numbers.length
  if (isIdName(name) || (distinct && isEntityName(name))) return 'an id: its numbers measure nothing'
  const counts = numbers.length >= 10 && (numbers[0] === 0 || numbers[0] === 1)
  return counts && numbers.every((number, i) => number === numbers[0]! + i) ? 'numbers the records' : undefined
}

/** The words of a name: `customerId`, `customer_id`, `CUSTOMER ID` → customer, id. */
const wordsOf = (name: string): readonly string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)
    .filter(word => word !== '')

/** Whether a column of this name identifies something. */
export const isIdName = (name: string): boolean =>
  ['id', 'ids', 'uuid', 'guid', 'customer'].includes(wordsOf(name).at(-1) ?? '')

/** Names of columns that identify what they name where each value occurs once. */
const isEntityName = (name: string): boolean =>
  /^(user|client|account|member|visitor|person|household|order|invoice|transaction|session|device|key|number|no|nr|index)$/.test(
    wordsOf(name).at(-1) ?? '',
  )
