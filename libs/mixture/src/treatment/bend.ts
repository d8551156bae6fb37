import type { BendName, Treatment } from './treatment.ts'
import { yeoJohnson, yeoJohnsonInverse, yeoJohnsonLogDerivative } from './yeo-johnson.ts'

/** An increasing function of a number, its inverse and the logarithm of its derivative. */
export interface Bend {
  readonly bend: (x: number) => number
  readonly unbend: (y: number) => number
  readonly logDerivative: (x: number) => number
}

/**
 * The bend of a treatment. Every number has an image: log1p is continued to negative values as the odd function sign(x) log(1 + |x|); log, sqrt
 * and logit go on as their tangents outside the values they were chosen on, where the data say nothing of their shape.
 * @param power Yeo–Johnson's λ
 */
export function bendOf(treatment: Pick<Treatment, 'transform' | 'offset' | 'bounds' | 'support'>, power: number): Bend {
  const { transform, offset = 0, bounds = [0, 1], support } = treatment
  const [low, high] = bounds
  const forms: Record<BendName, Bend> = {
    none: IDENTITY,
    log1p: LOG1P,
    'yeo-johnson': {
      bend: x => yeoJohnson(x, power),
      unbend: y => yeoJohnsonInverse(y, power),
      logDerivative: x => yeoJohnsonLogDerivative(x, power),
    },
    log: {
      bend: x => Math.log(x + offset),
      unbend: y => Math.exp(y) - offset,
      logDerivative: x => -Math.log(x + offset),
    },
    sqrt: {
      bend: x => Math.sqrt(x + offset),
      unbend: y => y * y - offset,
      logDerivative: x => -Math.LN2 - 0.5 * Math.log(x + offset),
    },
    logit: {
      bend: x => Math.log((x - low) / (high - x)),
      unbend: y => low + (high - low) / (1 + Math.exp(-y)),
      logDerivative: x => Math.log((high - low) / ((x - low) * (high - x))),
    },
  }
  const form = forms[transform]
  return support === undefined ? form : straightBeyond(form, support)
}

const IDENTITY: Bend = { bend: x => x, unbend: y => y, logDerivative: () => 0 }

const LOG1P: Bend = {
  bend: x => (x < 0 ? -Math.log1p(-x) : Math.log1p(x)),
  unbend: y => (y < 0 ? -Math.expm1(-y) : Math.expm1(y)),
  logDerivative: x => -Math.log1p(Math.abs(x)),
}

/** `form` on [least, most], its tangents beyond. */
function straightBeyond(form: Bend, [least, most]: readonly [number, number]): Bend {
  const ends = [least, most].map(x => ({ x, y: form.bend(x), log: form.logDerivative(x) })) as [End, End]
  const [lower, upper] = ends
  const beyond = (x: number): End | undefined => (x < least ? lower : x > most ? upper : undefined)
  return {
    bend(x) {
      const end = beyond(x)
      return end === undefined ? form.bend(x) : end.y + (x - end.x) * Math.exp(end.log)
    },
    unbend(y) {
      const end = y < lower.y ? lower : y > upper.y ? upper : undefined
      return end === undefined ? form.unbend(y) : end.x + (y - end.y) * Math.exp(-end.log)
    },
    logDerivative: x => beyond(x)?.log ?? form.logDerivative(x),
  }
}

interface End {
  readonly x: number
  readonly y: number
  readonly log: number
}

/**
 * A bend's cell: the image of [x − w/2, x + w/2].
 * @returns its width in the bend's units
 */
export function cellWidth({ bend, logDerivative }: Bend, x: number, width: number): number {
  if (bend === IDENTITY.bend) return width
  const between = bend(x + width / 2) - bend(x - width / 2)
  // Far from 0 both ends are one double.
  return between > 0 ? between : Math.max(width * Math.exp(logDerivative(x)), Number.MIN_VALUE)
}
