import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { generatedFiles, root } from '../scripts/generate.ts'

const generated = await generatedFiles()

test.each(Object.entries(generated))('%s is what the code makes (else: npm run generate)', (path, text) => {
  expect(readFileSync(join(root, path), 'utf8')).toBe(text)
})
