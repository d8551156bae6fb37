/** Something drawn in the plane of the data. Colours are CSS colours, `palette` by preference. */
export type Mark =
  | {
      readonly kind: 'points'
      readonly x: ArrayLike<number>
      readonly y: ArrayLike<number>
      /** one for all, or one a point */
      readonly colour: string | readonly string[]
      /** pixels, default 2 */
      readonly radius?: number
      /** 0 … 1, default 0.6 */
      readonly opacity?: number
      readonly name?: string
    }
  | {
      readonly kind: 'line'
      readonly x: ArrayLike<number>
      readonly y: ArrayLike<number>
      readonly colour: string
      readonly dashed?: boolean
      /** with a dot at each point */
      readonly dots?: boolean
      readonly name?: string
    }
  | {
      readonly kind: 'bars'
      /** edges, one more than heights */
      readonly edges: ArrayLike<number>
      readonly heights: ArrayLike<number>
      readonly colour: string
      readonly name?: string
    }
  | {
      /** The points whose Mahalanobis distance from the mean is `radius`. */
      readonly kind: 'ellipse'
      readonly mean: readonly [number, number]
      /** [xx, xy, yy] */
      readonly covariance: readonly [number, number, number]
      readonly radius: number
      readonly colour: string
      readonly dashed?: boolean
    }
  | { readonly kind: 'text'; readonly x: number; readonly y: number; readonly text: string; readonly colour?: string }

export interface Axis {
  readonly label: string
  /** least and largest value shown; from the marks if absent */
  readonly domain?: readonly [number, number]
}

export interface Plot {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly marks: readonly Mark[]
  /** corner of the legend on the right, default top */
  readonly legend?: 'top' | 'bottom'
  /** pixels, default 480 × 360 */
  readonly width?: number
  readonly height?: number
}

/** Colours that people with any colour vision tell apart (Okabe & Ito 2008). */
export const palette: readonly string[] = [
  '#0072b2',
  '#d55e00',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#000000',
  '#999933',
]

const margin = { left: 62, right: 16, top: 34, bottom: 46 }

/** Round values, about `count` of them, that cover [least, largest]: steps of 1, 2 or 5 times a power of ten. */
export function ticks(least: number, largest: number, count = 6): number[] {
  const rough = (largest - least) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5].find(factor => factor * power >= rough * (1 - 1e-9)) ?? 10)
  const values: number[] = []
  for (let i = Math.ceil(least / step - 1e-9); i * step <= largest + step * 1e-9; i++) {
    values.push(Number((i * step).toPrecision(12)))
  }
  return values
}

/** One plot as an SVG document. */
export function svgPlot(plot: Plot): string {
  return svgPlots([plot])
}

/** Plots side by side as one SVG document; its title is the first plot's. */
export function svgPlots(plots: readonly Plot[]): string {
  let left = 0
  let height = 0
  const parts: string[] = []
  for (const plot of plots) {
    parts.push(`<g transform="translate(${left},0)">${panel(plot)}</g>`)
    left += plot.width ?? 480
    height = Math.max(height, plot.height ?? 360)
  }
  const title = escaped(plots.map(plot => plot.title).join(' · '))
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" width="${left}" height="${height}" viewBox="0 0 ${left} ${height}" ` +
    `role="img" font-family="system-ui, sans-serif" font-size="12">\n<title>${title}</title>\n` +
    `<rect width="100%" height="100%" fill="#fff"/>\n${parts.join('\n')}\n</svg>\n`
  )
}

function panel(plot: Plot): string {
  const width = plot.width ?? 480
  const height = plot.height ?? 360
  const [x0, x1] = plot.x.domain ?? extent(plot.marks, 'x')
  const [y0, y1] = plot.y.domain ?? extent(plot.marks, 'y')
  const right = width - margin.right
  const bottom = height - margin.bottom
  const sx = (x: number) => margin.left + ((x - x0) / (x1 - x0)) * (right - margin.left)
  const sy = (y: number) => bottom - ((y - y0) / (y1 - y0)) * (bottom - margin.top)
  const clip = `clip${Math.abs(hash(JSON.stringify([plot.title, plot.x, plot.y, width])))}`
  const axes = [
    ...ticks(x0, x1).map(
      x =>
        `<path d="M${px(sx(x))},${margin.top}V${bottom}" stroke="#e5e5e5"/>` +
        `<text x="${px(sx(x))}" y="${bottom + 16}" text-anchor="middle">${number(x)}</text>`,
    ),
    ...ticks(y0, y1).map(
      y =>
        `<path d="M${margin.left},${px(sy(y))}H${right}" stroke="#e5e5e5"/>` +
        `<text x="${margin.left - 6}" y="${px(sy(y) + 4)}" text-anchor="end">${number(y)}</text>`,
    ),
  ]
  const marks = plot.marks.map(mark => drawn(mark, sx, sy))
  return [
    `<text x="${margin.left}" y="20" font-size="14" font-weight="600">${escaped(plot.title)}</text>`,
    ...axes,
    `<path d="M${margin.left},${margin.top}V${bottom}H${right}" fill="none" stroke="#333"/>`,
    `<clipPath id="${clip}"><rect x="${margin.left}" y="${margin.top}" width="${right - margin.left}" height="${bottom - margin.top}"/></clipPath>`,
    `<g clip-path="url(#${clip})">${marks.join('')}</g>`,
    `<text x="${(margin.left + right) / 2}" y="${height - 10}" text-anchor="middle">${escaped(plot.x.label)}</text>`,
    `<text transform="translate(14,${(margin.top + bottom) / 2}) rotate(-90)" text-anchor="middle">${escaped(plot.y.label)}</text>`,
    legend(plot.marks, right, plot.legend === 'bottom' ? bottom : undefined),
  ].join('\n')
}

function drawn(mark: Mark, sx: (x: number) => number, sy: (y: number) => number): string {
  switch (mark.kind) {
    case 'points': {
      const { colour, radius = 2, opacity = 0.6 } = mark
      const circles = Array.from(mark.x, (x, i) => {
        const fill = typeof colour === 'string' ? '' : ` fill="${colour[i]}"`
        return `<circle cx="${px(sx(x))}" cy="${px(sy(mark.y[i]!))}" r="${radius}"${fill}/>`
      })
      const fill = typeof colour === 'string' ? ` fill="${colour}"` : ''
      return `<g${fill} fill-opacity="${opacity}">${circles.join('')}</g>`
    }
    case 'line': {
      const points = Array.from(mark.x, (x, i) => `${px(sx(x))},${px(sy(mark.y[i]!))}`)
      const dash = mark.dashed ? ' stroke-dasharray="6 4"' : ''
      const dots = mark.dots ? points.map(point => `<circle cx="${point.replace(',', '" cy="')}" r="3"/>`).join('') : ''
      return `<polyline points="${points.join(' ')}" fill="none" stroke="${mark.colour}" stroke-width="2"${dash}/><g fill="${mark.colour}">${dots}</g>`
    }
    case 'bars': {
      const bars = Array.from(mark.heights, (height, i) => {
        const left = sx(mark.edges[i]!)
        return `<rect x="${px(left)}" y="${px(sy(height))}" width="${px(sx(mark.edges[i + 1]!) - left)}" height="${px(sy(0) - sy(height))}"/>`
      })
      return `<g fill="${mark.colour}" fill-opacity="0.35" stroke="#fff" stroke-width="0.5">${bars.join('')}</g>`
    }
    case 'ellipse': {
      // Cholesky factor of the covariance turns a circle into the ellipse.
      const [xx, xy, yy] = mark.covariance
      const a = Math.sqrt(xx)
      const b = xy / a
      const c = Math.sqrt(Math.max(0, yy - b * b))
      const points = Array.from({ length: 73 }, (_, i) => {
        const u = mark.radius * Math.cos((i * Math.PI) / 36)
        const v = mark.radius * Math.sin((i * Math.PI) / 36)
        return `${px(sx(mark.mean[0] + a * u))},${px(sy(mark.mean[1] + b * u + c * v))}`
      })
      const dash = mark.dashed ? ' stroke-dasharray="6 4"' : ''
      return `<polygon points="${points.join(' ')}" fill="none" stroke="${mark.colour}" stroke-width="2"${dash}/>`
    }
    case 'text':
      return `<text x="${px(sx(mark.x))}" y="${px(sy(mark.y))}" fill="${mark.colour ?? '#000'}" text-anchor="middle">${escaped(mark.text)}</text>`
  }
}

function legend(marks: readonly Mark[], right: number, bottom: number | undefined): string {
  const named = marks.flatMap(mark => ('name' in mark && mark.name !== undefined ? [mark] : []))
  return named
    .map((mark, i) => {
      const y = bottom === undefined ? margin.top + 14 + 16 * i : bottom - 8 - 16 * (named.length - 1 - i)
      const colour = typeof mark.colour === 'string' ? mark.colour : '#000'
      const dash = mark.kind === 'line' && mark.dashed ? ' stroke-dasharray="5 3"' : ''
      return `<path d="M${right - 22},${y - 4}h16" stroke="${colour}" stroke-width="3"${dash}/><text x="${right - 28}" y="${y}" text-anchor="end">${escaped(mark.name!)}</text>`
    })
    .join('')
}

/** Least and largest value of the marks with 5 % of room; [0, 1] where there is none. */
function extent(marks: readonly Mark[], axis: 'x' | 'y'): [number, number] {
  let least = Infinity
  let largest = -Infinity
  const take = (value: number): void => {
    if (!Number.isFinite(value)) return
    least = Math.min(least, value)
    largest = Math.max(largest, value)
  }
  for (const mark of marks) {
    if (mark.kind === 'points' || mark.kind === 'line') Array.from(mark[axis]).forEach(take)
    else if (mark.kind === 'bars')
      Array.from(axis === 'x' ? mark.edges : [0, ...Array.from(mark.heights)]).forEach(take)
    else if (mark.kind === 'ellipse') {
      const half = mark.radius * Math.sqrt(mark.covariance[axis === 'x' ? 0 : 2])
      const centre = mark.mean[axis === 'x' ? 0 : 1]
      take(centre - half)
      take(centre + half)
    } else take(mark[axis])
  }
  if (least > largest) return [0, 1]
  const room = largest > least ? (largest - least) * 0.05 : Math.max(1e-9, Math.abs(least) * 0.05, 0.5)
  return [least - room, largest + room]
}

const px = (value: number): string => String(Math.round(value * 100) / 100)
const number = (value: number): string =>
  Math.abs(value) >= 1e5 || (value !== 0 && Math.abs(value) < 1e-3) ? value.toExponential(0) : String(value)
const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
const hash = (text: string): number => {
  let h = 7
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0
  return h
}
