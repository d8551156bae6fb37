import type { Contender } from './contenders.ts'
import { eddy } from './contenders.ts'
import { type Shape, sampleEvents, trueParameters } from './shapes.ts'
import { median } from './statistics.ts'

/** Nanoseconds an event of a dense EM step, as one size grows. */
export interface Scaling {
  readonly over: 'K' | 'd' | 'events'
  readonly fixed: string
  readonly points: readonly { readonly at: number; readonly nanoseconds: number }[]
  /** exponent of the growth: slope of log time over log size, by least squares */
  readonly exponent: number
}

const shapeOf = (components: number, columns: number): Shape => ({
  name: 'scaling',
  covariance: 'full',
  components,
  columns,
  apart: 1.2,
})

function contender(shape: Shape): Contender {
  const parameters = trueParameters(shape, 1)
  const { block } = sampleEvents(shape, parameters, 8 * 1024, 2)
  return eddy(shape, parameters, block, 'auto', 0)
}

/** Time an event over K (d=16), over d (K=8) and along a stream (d=16, K=8): sizes take turns, so that noise hits all alike. */
export async function measureScaling(rounds: number, seconds: number): Promise<Scaling[]> {
  const results: Scaling[] = []
  const series = [
    { over: 'K', fixed: 'd=16', sizes: [2, 4, 8, 16, 32, 64], shape: (size: number) => shapeOf(size, 16) },
    { over: 'd', fixed: 'K=8', sizes: [8, 16, 32, 64, 128], shape: (size: number) => shapeOf(8, size) },
  ] as const
  for (const { over, fixed, sizes, shape } of series) {
    const contenders = sizes.map(size => contender(shape(size)))
    const rates: number[][] = sizes.map(() => [])
    for (let round = -1; round < rounds; round++)
      for (const [i, each] of contenders.entries()) {
        const rate = await each.run('em', 1024, seconds)
        if (round >= 0) rates[i]!.push(rate)
      }
    const points = sizes.map((at, i) => ({ at, nanoseconds: 1e9 / median(rates[i]!) }))
    results.push({ over, fixed, points, exponent: slope(points) })
  }
  // One model that goes on learning: a stretch of the stream a point.
  const stream = contender(shapeOf(8, 16))
  const points: { at: number; nanoseconds: number }[] = []
  let events = 0
  for (let stretch = 0; stretch < 10; stretch++) {
    const rates: number[] = []
    for (let i = 0; i < rounds; i++) rates.push(await stream.run('em', 1024, seconds))
    events += rates.reduce((sum, rate) => sum + rate * seconds, 0)
    points.push({ at: Math.round(events), nanoseconds: 1e9 / median(rates) })
  }
  results.push({ over: 'events', fixed: 'd=16, K=8', points, exponent: slope(points) })
  return results
}

function slope(points: Scaling['points']): number {
  const x = points.map(({ at }) => Math.log(at))
  const y = points.map(({ nanoseconds }) => Math.log(nanoseconds))
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
  const [mx, my] = [mean(x), mean(y)]
  const top = x.reduce((sum, value, i) => sum + (value - mx) * (y[i]! - my), 0)
  return top / x.reduce((sum, value) => sum + (value - mx) ** 2, 0)
}

/** The results as markdown. */
export function scalingTable(results: readonly Scaling[]): string {
  const lines = [
    '## Time an event',
    '',
    'A dense EM step of full covariances at batch 1024, nanoseconds an event (`scaling.svg`): linear in K, quadratic in d once d is large',
    'beside what does not grow with it (exp, packing), flat in the length of the stream.',
    '',
  ]
  for (const { over, fixed, points, exponent } of results)
    lines.push(
      `| ${over} (${fixed}) | ${points.map(({ at }) => at.toLocaleString('en')).join(' | ')} |`,
      `|---|${points.map(() => '---|').join('')}`,
      `| ns | ${points.map(({ nanoseconds }) => nanoseconds.toFixed(0)).join(' | ')} |`,
      '',
      over === 'events'
        ? `Growth exponent: ${exponent.toFixed(2)}.`
        : `Growth exponent over all points: ${exponent.toFixed(2)}; over the last two: ${slope(points.slice(-2)).toFixed(2)}.`,
      '',
    )
  return lines.join('\n')
}

const WIDTH = 320
const HEIGHT = 250
const PLOT = { left: 60, width: 220, top: 34, bottom: 204 }
/** Growth that is expected: the exponent of a dashed line through the last point. */
const EXPECTED: Readonly<Record<Scaling['over'], number>> = { K: 1, d: 2, events: 0 }
/** Every panel's vertical axis spans at least this factor, so that noise looks like noise. */
const LEAST_SPAN = 30

/** Three panels, both axes logarithmic. */
export function scalingPlot(results: readonly Scaling[]): string {
  const width = WIDTH * results.length
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEIGHT}" font-family="sans-serif" font-size="11">`,
    '<title>Nanoseconds an event of a dense EM step</title>',
    `<rect width="${width}" height="${HEIGHT}" fill="#fff"/>`,
    ...results.flatMap((result, panel) => panelOf(result, panel * WIDTH + PLOT.left)),
    '</svg>',
    '',
  ].join('\n')
}

function panelOf({ over, fixed, points }: Scaling, left: number): string[] {
  const { width, top, bottom } = PLOT
  const logs = points.map(({ at }) => Math.log(at))
  const times = points.map(({ nanoseconds }) => Math.log(nanoseconds))
  const middle = (Math.max(...times) + Math.min(...times)) / 2
  const span = Math.max(Math.log(LEAST_SPAN), 1.3 * (Math.max(...times) - Math.min(...times)))
  const x = (log: number) => left + ((log - logs[0]!) / (logs.at(-1)! - logs[0]!)) * width
  const y = (log: number) => (top + bottom) / 2 - ((log - middle) / span) * (bottom - top)
  const line = (values: readonly number[]) =>
    values.map((time, i) => `${x(logs[i]!).toFixed(1)},${y(time).toFixed(1)}`).join(' ')
  const expected = logs.map(log => times.at(-1)! + EXPECTED[over] * (log - logs.at(-1)!))
  const visible = expected.filter(time => y(time) < bottom)
  const dashed = visible.map((time, i) => {
    const log = logs[expected.length - visible.length + i]!
    return `${x(log).toFixed(1)},${y(time).toFixed(1)}`
  })
  const labelled = (i: number) => over !== 'events' || i === 0 || i === points.length - 1
  return [
    `<text x="${left - 40}" y="16">ns an event over ${over} (${fixed}); dashed: ${['flat', 'linear', 'quadratic'][EXPECTED[over]]}</text>`,
    `<polyline points="${left},${top} ${left},${bottom} ${left + width},${bottom}" fill="none" stroke="#888"/>`,
    `<polyline points="${dashed.join(' ')}" fill="none" stroke="#b35900" stroke-dasharray="4 3"/>`,
    `<polyline points="${line(times)}" fill="none" stroke="#1b6ca8" stroke-width="2"/>`,
    ...points.flatMap(({ at, nanoseconds }, i) => {
      const cx = x(logs[i]!).toFixed(1)
      const cy = y(times[i]!)
      const circle = `<circle cx="${cx}" cy="${cy.toFixed(1)}" r="3" fill="#1b6ca8"/>`
      if (!labelled(i)) return [circle]
      return [
        circle,
        `<text x="${cx}" y="${bottom + 16}" text-anchor="middle">${short(at)}</text>`,
        `<text x="${cx}" y="${(cy - 8).toFixed(1)}" text-anchor="middle" font-size="9">${nanoseconds.toFixed(0)}</text>`,
      ]
    }),
  ]
}

const short = (count: number): string =>
  count >= 1e6 ? `${(count / 1e6).toFixed(1)}M` : count >= 1e4 ? `${(count / 1e3).toFixed(0)}k` : `${count}`
