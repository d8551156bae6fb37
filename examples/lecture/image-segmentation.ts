import { readFileSync } from 'node:fs'
import { createSpecification, fitModel, modelToJson, random, scoreModel, stepwiseEm } from '@eddy/mixture'
import { PNG } from 'pngjs'
import type { Lesson } from './lesson.ts'

/** The pixels of a photograph as events of three features; every pixel painted in the mean colour of its segment. */
export function imageSegmentation(): Lesson {
  const photograph = PNG.sync.read(readFileSync(new URL('./assets/coffee.png', import.meta.url)))
  const two = segmented(photograph, 2)
  const five = segmented(photograph, 5)
  return {
    pictures: { 'coffee-2-segments.png': two.png, 'coffee-5-segments.png': five.png },
    numbers: {
      pixels: photograph.width * photograph.height,
      explainedByTwo: two.explained,
      explainedByFive: five.explained,
      logLikelihoodGain: five.logLikelihood - two.logLikelihood,
      weights: five.weights.reduce((a, b) => a + b),
    },
    summary: `share of the colour variance that the segments explain: K = 2 ${(100 * two.explained).toFixed(1)} %, K = 5 ${(100 * five.explained).toFixed(1)} %`,
  }
}

/** One pass of stepwise EM over the pixels in random order, then the segment of each. */
function segmented(photograph: PNG, components: number) {
  const pixels = photograph.width * photograph.height
  const values = new Float64Array(pixels * 3)
  for (let n = 0; n < pixels; n++) for (let c = 0; c < 3; c++) values[3 * n + c] = photograph.data[4 * n + c]!
  const block = { rows: pixels, columns: 3, values }
  const specification = createSpecification({
    features: ['red', 'green', 'blue'],
    components,
    // A colour channel has 256 levels: no component may be narrower than a few of them.
    prior: { varianceFloor: 1e-3 },
  })
  const shuffle = random(31)
  const estimator = stepwiseEm({ ...specification, shuffle, batchSize: 1024 })
  // The warm-up takes the first pixels, which are all of one corner: start from every 50th instead.
  const start = fitModel(specification, every(block, 50), undefined, { estimator, random: random(32) }).parameters
  const model = fitModel(specification, block, undefined, { estimator, random: shuffle, start })
  const { posterior, logDensity } = scoreModel(model, block)
  const colours = modelToJson(model).means_ as number[][]
  const painted = new PNG({ width: photograph.width, height: photograph.height })
  let within = 0
  for (let n = 0; n < pixels; n++) {
    let k = 0
    for (let j = 1; j < components; j++) if (posterior[n * components + j]! > posterior[n * components + k]!) k = j
    for (let c = 0; c < 3; c++) {
      painted.data[4 * n + c] = Math.round(colours[k]![c]!)
      within += (values[3 * n + c]! - colours[k]![c]!) ** 2
    }
    painted.data[4 * n + 3] = 255
  }
  return {
    png: PNG.sync.write(painted, { colorType: 2 }),
    explained: 1 - within / total(values),
    logLikelihood: logDensity.reduce((a, b) => a + b) / pixels,
    weights: [...model.parameters.weights!],
  }
}

/** Sum of squared deviations of all channels from their means. */
function total(values: Float64Array): number {
  let sum = 0
  for (let c = 0; c < 3; c++) {
    const channel = values.filter((_, i) => i % 3 === c)
    const centre = channel.reduce((a, b) => a + b) / channel.length
    sum += channel.reduce((a, b) => a + (b - centre) ** 2, 0)
  }
  return sum
}

function every({ rows, columns, values }: { rows: number; columns: number; values: Float64Array }, step: number) {
  const count = Math.floor(rows / step)
  const picked = new Float64Array(count * columns)
  for (let i = 0; i < count; i++) {
    picked.set(values.subarray(i * step * columns, (i * step + 1) * columns), i * columns)
  }
  return { rows: count, columns, values: picked }
}
