import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, it } from 'vitest'
import { asyncApi } from '../scripts/asyncapi.ts'

const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json') as object
const ajv = new Ajv({ strict: false, meta: false, validateSchema: false, logger: false })
addFormats.default(ajv)
// The specification brings the schema of JSON Schema itself along: ajv must not add its own.
const validate = ajv.compile(schema)

it('the AsyncAPI document obeys the specification', () => {
  validate(asyncApi())
  expect(validate.errors).toBe(null)
})

it('the specification refuses one that does not', () => {
  const document = asyncApi() as { operations: Record<string, { action: string }> }
  expect(validate({ ...document, operations: { x: { ...document.operations.sendLabels, action: 'shout' } } })).toBe(
    false,
  )
  expect(validate({ ...document, channels: { x: { address: 7 } } })).toBe(false)
})
