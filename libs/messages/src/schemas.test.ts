import { readdirSync } from 'node:fs'
import type { Schema } from 'avsc'
import { describe, expect, it } from 'vitest'
import { boundsOf } from './bounds.ts'
import { avroType, loadSchemas, type PublishedSchema, publishedSchemas, versionsOf } from './schemas.ts'
import { incompatibilities } from './testing/compatibility.ts'

const subjects = [...new Set(publishedSchemas.map(row => row.subject))]

describe('published schemas', () => {
  it.each(subjects)('%s: every version reads every other one (FULL_TRANSITIVE)', subject => {
    expect(incompatibilities(versionsOf(subject))).toEqual([])
  })

  it.each(subjects)('%s: versions count from 1, names stay, sizes are bounded', subject => {
    const versions = versionsOf(subject)
    expect(versions.map(row => row.version)).toEqual(versions.map((_, i) => i + 1))
    expect(new Set(versions.map(row => row.type.name)).size).toBe(1)
    for (const row of versions) {
      expect(row.type.name).toMatch(/^eddy\./)
      boundsOf(row.schema)
    }
  })

  it('have unique ids, and every file is in the table', () => {
    expect(new Set(publishedSchemas.map(row => row.id)).size).toBe(publishedSchemas.length)
    const folder = new URL('../../../schemas/', import.meta.url)
    const files = readdirSync(folder, { recursive: true }).filter(file => String(file).endsWith('.avsc'))
    expect(files.length).toBe(publishedSchemas.length)
  })

  it('say which file is missing', () => {
    expect(() => loadSchemas(new URL('./nowhere/', import.meta.url))).toThrow(/expected readable JSON in .*ids\.json/)
    expect(() => versionsOf('x-value')).toThrow(/subject: expected one of eddy\.features/)
  })
})

describe('the compatibility check', () => {
  const label = versionsOf('eddy.labels.v1-value')[0]!
  const fields = (label.schema as unknown as { fields: { name: string; type: unknown }[] }).fields
  const next = (changed: object[]): PublishedSchema => {
    const schema = { ...(label.schema as object), fields: changed } as unknown as Schema
    return { ...label, version: 2, schema, type: avroType(schema) }
  }
  const field = (name: string) => fields.find(f => f.name === name)!

  it('accepts a new field with a default', () => {
    expect(incompatibilities([label, next([...fields, { name: 'entropy', type: 'double', default: 0 }])])).toEqual([])
  })

  it.each([
    [
      'a new field without a default',
      [...fields, { name: 'entropy', type: 'double' }],
      /version 2 cannot read version 1/,
    ],
    ['a removed field that had no default', fields.filter(f => f.name !== 'model'), /version 1 cannot read version 2/],
    ['a renamed field', fields.map(f => (f.name === 'model' ? { ...f, name: 'mixture' } : f)), /cannot read/],
    ['another type', [...fields.filter(f => f.name !== 'model'), { ...field('model'), type: 'long' }], /cannot read/],
    [
      'a widened type',
      [...fields.filter(f => f.name !== 'sourcePartition'), { ...field('sourcePartition'), type: 'double' }],
      /version 1 cannot read version 2/,
    ],
  ])('goes red for %s', (_, changed, message) => {
    expect(incompatibilities([label, next(changed)]).join('\n')).toMatch(message)
  })

  it('is transitive: version 3 must read version 1 too', () => {
    const base = { name: 'eddy.T', type: 'record' as const }
    const of = (version: number, fields: object[]) => {
      const schema = { ...base, fields } as unknown as Schema
      return { id: version, subject: 't-value', version, schema, type: avroType(schema) }
    }
    const a = of(1, [{ name: 'x', type: 'string' }])
    const b = of(2, [{ name: 'x', type: 'string', default: '' }])
    const c = of(3, [])
    expect(incompatibilities([a, b])).toEqual([])
    expect(incompatibilities([b, c])).toEqual([])
    expect(incompatibilities([a, b, c])).toEqual([expect.stringMatching(/version 1 cannot read version 3/)])
  })
})
