import { describe, expect, it } from 'vitest'
import { palette, svgPlot, svgPlots, ticks } from './plot.ts'

const plot = {
  title: 'Points & <lines>',
  x: { label: 'x', domain: [0, 10] as const },
  y: { label: 'y', domain: [0, 1] as const },
  marks: [
    { kind: 'points' as const, x: [0, 10], y: [0, 1], colour: palette[0]!, name: 'events' },
    {
      kind: 'ellipse' as const,
      mean: [5, 0.5] as const,
      covariance: [1, 0, 0.01] as const,
      radius: 1,
      colour: palette[1]!,
    },
  ],
}

describe('a plot', () => {
  it('puts the corners of the domain into the corners of the frame', () => {
    const svg = svgPlot(plot)
    expect(svg).toContain('<circle cx="62" cy="314" r="2"/>')
    expect(svg).toContain('<circle cx="464" cy="34" r="2"/>')
    expect(svg).toContain('<title>Points &amp; &lt;lines&gt;</title>')
  })

  it('is the same text for the same data, and never holds NaN', () => {
    expect(svgPlot(plot)).toBe(svgPlot(plot))
    const degenerate = {
      ...plot,
      x: { label: 'x' },
      y: { label: 'y' },
      marks: [{ kind: 'line' as const, x: [3], y: [3], colour: 'red' }],
    }
    expect(svgPlots([degenerate, { ...degenerate, marks: [] }])).not.toMatch(/NaN|Infinity/)
  })

  it('has round ticks', () => {
    expect(ticks(0, 10)).toEqual([0, 2, 4, 6, 8, 10])
    expect(ticks(-0.35, 0.31)).toEqual([-0.2, 0, 0.2])
    expect(ticks(996, 1004, 4)).toEqual([996, 998, 1000, 1002, 1004])
  })
})
