import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { compileKernel, generatedFile } from '../scripts/build-kernel.ts'

test('the committed kernel is what its sources compile to (else: npm run build:kernel)', async () => {
  expect(readFileSync(generatedFile, 'utf8')).toBe(await compileKernel())
})
