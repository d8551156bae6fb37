/** What stands where there is no figure. */
export const NONE = '–'

const SIGNIFICANT = 4
/** Digits after the point that a column of ordinary numbers is told with; smaller numbers have as many as they need. */
const DECIMALS = 3

/**
 * A number for people: four significant digits, no power of ten between a millionth and 10¹⁵, `–` where there is none. Beside larger numbers
 * it has no more digits after the point than they give meaning to: 0.00000783 beside 23 is 0.
 * @param beside the numbers it stands among, itself included
 */
export function figure(value: number, beside: readonly number[] = [value]): string {
  if (!Number.isFinite(value)) return NONE
  const largest = Math.max(...beside.filter(Number.isFinite).map(Math.abs), Math.abs(value))
  if (largest !== 0 && (largest >= 1e15 || largest < 1e-6))
    return value === 0 ? '0' : value.toExponential(SIGNIFICANT - 1).replace(/\.?0*e\+?/, 'e')
  const finest = largest === 0 ? 0 : Math.max(DECIMALS, SIGNIFICANT - 1 - Math.floor(Math.log10(largest)))
  const text = Number(value.toPrecision(SIGNIFICANT)).toLocaleString('en-US', {
    maximumFractionDigits: finest,
    useGrouping: 'min2',
  })
  return text === '-0' ? '0' : text
}

/** A share of 0 to 1 in percent, `–` where there is none. */
export const percent = (share: number, decimals = 1): string =>
  Number.isFinite(share) ? `${(100 * share).toFixed(decimals)}%` : NONE

/** A likelihood, criterion or other number of which the last digit counts. */
export const fixed = (value: number | null, decimals: number): string =>
  value === null || !Number.isFinite(value) ? NONE : value.toFixed(decimals).replace(/^-(0\.?0*)$/, '$1')
