import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LabelEncoder, labelCodec } from './label.ts'
import { Slab } from './slab.ts'
import { label } from './testing/arbitraries.ts'

describe('label encoder', () => {
  it('writes the bytes of the codec', () => {
    fc.assert(
      fc.property(label, fc.nat({ max: 3 }), (value, row) => {
        const components = value.posterior.length
        fc.pre(components > 0)
        const component = components - 1
        const segments = Array.from({ length: components }, (_, k) => (k === component ? value.segment : `s${k}`))
        const posteriors = new Float64Array((row + 2) * components)
        posteriors.set(value.posterior, row * components)
        const slab = new Slab()
        const customer = Buffer.from(`<${value.customer}>`)
        const end = new LabelEncoder({ ...value, segments }).write(
          slab,
          customer,
          1,
          customer.length - 1,
          value.time,
          posteriors,
          row,
          component,
          value.logDensity,
          value.sourcePartition,
          value.sourceOffset,
        )
        expect(Buffer.from(slab.take(end))).toEqual(Buffer.from(labelCodec.encode(value)))
      }),
      { numRuns: 500 },
    )
  })

  it('refuses a component or a row that is not there', () => {
    const encoder = new LabelEncoder({ model: 'm', snapshotVersion: 1n, segments: ['a', 'b'], provisional: false })
    expect(() => encoder.write(new Slab(), Buffer.from('c'), 0, 1, 0, new Float64Array(2), 0, 2, 0, 0, 0)).toThrow(
      /expected a component of 0 … 1/,
    )
    expect(() => encoder.write(new Slab(), Buffer.from('c'), 0, 1, 0, new Float64Array(2), 1, 0, 0, 0, 0)).toThrow(
      /2 posteriors in row 1/,
    )
  })
})
