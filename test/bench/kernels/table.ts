import type { KernelResult, Measurement } from './measure.ts'
import { NOTES } from './notes.ts'
import { SHAPES } from './shapes.ts'

/** The results as markdown. */
export function kernelTable(measurement: Measurement, machine: readonly string[], rounds: number): string {
  const { results, others, worstSpread } = measurement
  const batches = [...new Set(results.map(result => result.batch))]
  const lines = [
    '# Kernels: EM steps and scoring beside other software',
    '',
    'Written by `npm run bench -- kernels`; the numbers in machine-readable form are in `kernels.json`, the plot in `kernels.svg`.',
    '',
    ...machine.map(line => `- ${line}`),
    `- one thread each, f64 but for the variant *f32*; events per second of processor time of the whole process (other programs on the machine do not shorten it);`,
    `  medians of ${rounds} interleaved rounds, widest interquartile range ${(100 * worstSpread).toFixed(0)} % of its median`,
    '',
    'An EM step is the E-step, the statistics, their blending and the M-step of one batch (`Mixture.expectation` and `stepwiseUpdate`);',
    "scikit-learn's is `_e_step` + `_m_step` of `GaussianMixture` on the batch, without a blend. Scoring is posterior probabilities and",
    'log density; scikit-learn computes both from one pass here (`_estimate_log_prob_resp`), without its input checks. C is `limit.c`: the',
    "same computation in vectors as wide as the machine's, without blend and M-step. *Skip* is the default: components with less",
    "than 1e-17 of an event's density are left out of its moments; *dense* leaves out nothing. *Active* counts those that are not left",
    'out, of K. *f32* is `model.kernel: webassembly-f32`, which skips too and scores full covariances in f32.',
    '',
  ]
  for (const batch of batches) {
    lines.push(
      `## Batches of ${batch}`,
      '',
      '| shape | step | variant | active | k events/s | × scikit-learn | × C | scikit-learn k/s | C k/s | TypeScript reference k/s |',
      '|---|---|---|---|---|---|---|---|---|---|',
    )
    for (const result of results.filter(each => each.batch === batch)) {
      const rate = (contender: string) => {
        const found = others.find(
          o => o.contender === contender && o.shape === result.shape && o.step === result.step && o.batch === batch,
        )
        return found === undefined ? '–' : thousands(found.eventsPerSecond)
      }
      lines.push(
        `| ${label(result.shape)} | ${result.step} | ${result.variant} | ${result.activeComponents.toFixed(1)} | ${thousands(result.eventsPerSecond)} | ${result.ratioToSklearn.toFixed(2)} | ${result.ratioToC?.toFixed(2) ?? '–'} | ${rate('scikit-learn')} | ${rate('C')} | ${rate('typescript')} |`,
      )
    }
    lines.push('')
  }
  return [...lines, NOTES].join('\n')
}

const thousands = (rate: number): string => (rate / 1000).toLocaleString('en', { maximumSignificantDigits: 4 })

function label(name: string): string {
  const shape = SHAPES.find(each => each.name === name)!
  return `${name}: d=${shape.columns} K=${shape.components} ${shape.covariance}`
}

const BAR = 22
const COLOURS = {
  'em dense': '#1b6ca8',
  'em skip': '#6fb1e0',
  'score dense': '#b35900',
  'score skip': '#f0a860',
} as const

/** Bars of the ratios to scikit-learn at one batch size, on a log scale. */
export function kernelPlot(results: readonly KernelResult[], batch: number): string {
  const chosen = results.filter(result => result.batch === batch)
  const shapes = [...new Set(chosen.map(result => result.shape))]
  const kinds = Object.keys(COLOURS) as (keyof typeof COLOURS)[]
  const group = BAR * kinds.length + 28
  const width = 70 + group * shapes.length
  const height = 340
  const top = Math.max(10, ...chosen.map(result => result.ratioToSklearn)) * 1.2
  const y = (ratio: number) => 290 - (250 * Math.log(Math.max(ratio, 0.5) / 0.5)) / Math.log(top / 0.5)
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<title>Events per second as a multiple of scikit-learn's, batches of ${batch}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="45" y="16">events per second as a multiple of scikit-learn's, batches of ${batch}</text>`,
  ]
  for (const tick of [0.5, 1, 2, 5, 10, 20, 50].filter(value => value <= top))
    parts.push(
      `<line x1="45" x2="${width - 10}" y1="${y(tick).toFixed(1)}" y2="${y(tick).toFixed(1)}" stroke="${tick === 1 ? '#000' : '#ddd'}"/>`,
      `<text x="40" y="${(y(tick) + 4).toFixed(1)}" text-anchor="end">${tick}×</text>`,
    )
  shapes.forEach((shape, s) => {
    const left = 58 + s * group
    kinds.forEach((kind, k) => {
      const [step, variant] = kind.split(' ')
      const result = chosen.find(each => each.shape === shape && each.step === step && each.variant === variant)
      if (result === undefined) return
      const at = y(result.ratioToSklearn)
      parts.push(
        `<rect x="${left + k * BAR}" y="${at.toFixed(1)}" width="${BAR - 3}" height="${(290 - at).toFixed(1)}" fill="${COLOURS[kind]}"><title>${shape} ${kind}: ${result.ratioToSklearn}</title></rect>`,
        `<text x="${left + k * BAR + (BAR - 3) / 2}" y="${(at - 3).toFixed(1)}" text-anchor="middle" font-size="9">${result.ratioToSklearn.toFixed(1)}</text>`,
      )
    })
    parts.push(`<text x="${left + (group - 28) / 2}" y="306" text-anchor="middle">${label(shape)}</text>`)
  })
  kinds.forEach((kind, k) => {
    parts.push(
      `<rect x="${58 + k * 110}" y="318" width="10" height="10" fill="${COLOURS[kind]}"/>`,
      `<text x="${72 + k * 110}" y="327">${kind}</text>`,
    )
  })
  parts.push('</svg>', '')
  return parts.join('\n')
}
