import { expect, test } from 'vitest'
import { stepwiseEm } from '../em/estimators/stepwise-em.ts'
import { type Block, rowsOf } from '../families/block.ts'
import { empty } from '../families/family.ts'
import { createMixture } from '../model/create-mixture.ts'
import { createSpecification } from '../model/specification.ts'
import { applyTransform } from '../model/transform.ts'
import { random, standardNormal } from '../numerics/random.ts'
import { warmUp } from '../start/warm-up.ts'

const EVENTS = 6000
const HELD_OUT = 4000
const BUFFERED = 500

/** Events of K gaussians in d features, some of which overlap. */
function stream(seed: number): { readonly block: Block; readonly components: number } {
  const next = random(seed)
  const components = 2 + (seed % 4)
  const columns = 1 + (seed % 3)
  const centres = Array.from({ length: components * columns }, () => 8 * next())
  const spread = Array.from({ length: components }, () => 0.5 + next())
  const rows = EVENTS + HELD_OUT
  const values = new Float64Array(rows * columns)
  for (let n = 0; n < rows; n++) {
    const k = Math.floor(next() ** 1.3 * components)
    for (let j = 0; j < columns; j++)
      values[n * columns + j] = centres[k * columns + j]! + spread[k]! * standardNormal(next)
  }
  return { block: { rows, columns, values }, components }
}

test('40 streams in one batch, in batches of 16 and one event at a time: the same model', () => {
  const whole: number[] = []
  const small: number[] = []
  const moves: number[] = []
  for (let seed = 1; seed <= 40; seed++) {
    const { block, components } = stream(seed)
    const features = Array.from({ length: block.columns }, (_, j) => `x${j}`)
    const specification = createSpecification({ features, components })
    const mixture = createMixture(specification)
    const start = warmUp(specification, rowsOf(block, 0, BUFFERED), undefined, random(seed))
    const { block: all } = applyTransform(specification, start.parameters, block)
    const models = [EVENTS, 16, 1].map(batchSize => {
      const { parameters } = stepwiseEm({ ...specification, batchSize }).fit(
        mixture,
        rowsOf(all, 0, EVENTS),
        undefined,
        start,
      )
      const held = mixture.expectation(parameters, rowsOf(all, EVENTS, all.rows), undefined, empty(mixture))
      return { parameters, heldOut: held.logLikelihood / HELD_OUT }
    })
    const [one, sixteen, single] = models
    whole.push(Math.abs(one!.heldOut - single!.heldOut))
    small.push(Math.abs(sixteen!.heldOut - single!.heldOut))
    moves.push(Math.max(...sixteen!.parameters.means!.map((m, i) => Math.abs(m - single!.parameters.means![i]!))))
  }
  console.log(
    `held out, nats: one batch of 11 warm-ups ${Math.max(...whole).toFixed(4)}, batches of 16 ${Math.max(...small).toExponential(1)}`,
  )
  console.log(`means, sd: batches of 16 ${Math.max(...moves).toFixed(4)}`)
  // One E-step for all that follows the warm-up is one iteration of batch EM; events one at a time are better than that.
  for (const gap of whole) expect(gap).toBeLessThan(0.02)
  for (const gap of small) expect(gap).toBeLessThan(5e-4)
  for (const move of moves) expect(move).toBeLessThan(0.005)
})
