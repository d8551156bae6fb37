import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { limit, writeEvents } from './contenders.ts'
import { vectorBits } from './machine.ts'
import { type Shape, sampleEvents, trueParameters } from './shapes.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-limit-'))
afterAll(() => rmSync(folder, { recursive: true }))

const flagsFile = '/proc/cpuinfo'
const compiler = (() => {
  try {
    return execFileSync('cc', ['--version'], { encoding: 'utf8' })
  } catch {
    return undefined
  }
})()

/** What the processor says of itself. */
function widestVector(): number {
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync(flagsFile, 'utf8'))![1]!.trim().split(' '))
  return flags.has('avx512f') ? 512 : flags.has('avx2') ? 256 : 128
}

test.runIf(compiler !== undefined && existsSync(flagsFile))(
  "the limit in C is compiled in vectors as wide as the machine's, and runs",
  async () => {
    for (const covariance of ['diag', 'full'] as const) {
      const shape: Shape = { name: covariance, covariance, components: 3, columns: 8, apart: 1 }
      const parameters = trueParameters(shape, 1)
      const { block } = sampleEvents(shape, parameters, 128, 2)
      const c = await limit(folder, writeEvents(folder, shape, parameters, block), shape)
      expect(vectorBits(c.description)).toBe(widestVector())
      for (const step of ['em', 'score'] as const) expect(await c.run(step, 128, 0.001)).toBeGreaterThan(0)
      c.close()
    }
  },
)
