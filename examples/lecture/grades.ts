import { palette, svgPlots } from '@eddy/cli/plot'
import type { Lesson } from './lesson.ts'

// A class has grades A, B, C, D with probabilities 1/2, μ, 2μ and 1/2 − 3μ (Moore 2001, "Clustering with Gaussian
// mixtures", the gradebook example). Some counts are seen, the others are latent.

/** E: the expected latent counts under μ. M: μ from the completed counts. Repeated, with every μ on the way. */
function em(
  expectedCounts: (mu: number) => { b: number; c: number; d: number },
  start: number,
  steps: number,
): number[] {
  const path = [start]
  for (let step = 0; step < steps; step++) {
    const { b, c, d } = expectedCounts(path.at(-1)!)
    path.push((b + c) / (6 * (b + c + d)))
  }
  return path
}

/** Three counts are seen: h = A or B together, c, d. */
export function threeCounts(h: number, c: number, d: number, start = 0, steps = 20): number[] {
  return em(mu => ({ b: (h * mu) / (1 / 2 + mu), c, d }), start, steps)
}

/** One count is seen: c of n. Its likelihood is binomial in θ = P(C) = 2μ, so θ must converge to c/n. */
export function oneCount(c: number, n: number, start = 0.05, steps = 60): number[] {
  return em(
    mu => ({ b: ((n - c) * mu) / (1 - 2 * mu), c, d: ((n - c) * (1 / 2 - 3 * mu)) / (1 - 2 * mu) }),
    start,
    steps,
  )
}

/** Where the derivative of log L = h log(1/2 + μ) + c log 2μ + d log(1/2 − 3μ) is zero. */
export function threeCountsMaximum(h: number, c: number, d: number): number {
  // −3 (h + c + d) μ² + (h/2 − c − 3d/2) μ + c/4 = 0
  const [p, q, r] = [3 * (h + c + d), h / 2 - c - (3 * d) / 2, c / 4]
  return (q + Math.sqrt(q * q + 4 * p * r)) / (2 * p)
}

export function grades(): Lesson {
  const three = threeCounts(20, 10, 10)
  const one = oneCount(14, 100).map(mu => 2 * mu)
  const maximum = threeCountsMaximum(20, 10, 10)
  const steps = (path: readonly number[]) => path.map((_, i) => i)
  return {
    pictures: {
      'grades.svg': svgPlots([
        {
          title: 'Three counts seen: h = 20, c = 10, d = 10',
          x: { label: 'EM step', domain: [0, 8] },
          y: { label: 'μ', domain: [0, 0.11] },
          marks: [
            { kind: 'line', x: [0, 8], y: [maximum, maximum], colour: palette[6]!, dashed: true, name: 'maximum' },
            { kind: 'line', x: steps(three), y: three, colour: palette[0]!, dots: true, name: 'EM' },
          ],
        },
        {
          title: 'One count seen: 14 C among 100',
          x: { label: 'EM step', domain: [0, 30] },
          y: { label: 'θ = P(C)', domain: [0.08, 0.16] },
          marks: [
            { kind: 'line', x: [0, 30], y: [0.14, 0.14], colour: palette[6]!, dashed: true, name: 'N_c / N' },
            { kind: 'line', x: steps(one), y: one, colour: palette[0]!, dots: true, name: 'EM' },
          ],
        },
      ]),
    },
    numbers: { mu: three.at(-1)!, muAfterOneStep: three[1]!, muAfterTwoSteps: three[2]!, maximum, theta: one.at(-1)! },
    summary: `three counts: μ = ${three.at(-1)!.toFixed(4)} (maximum ${maximum.toFixed(4)}); one count: θ = ${one.at(-1)!.toFixed(6)} → N_c/N = 0.14`,
  }
}
