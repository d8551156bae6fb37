import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { csvRecords } from '../csv.ts'
import type { FeatureColumn } from '../feature-columns.ts'
import { openInput } from '../open-input.ts'
import { readEvents } from '../read-events.ts'
import { type FeatureOptions, readFeatures, streamFeatures } from '../read-features.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { csvColumns } from './csv-columns.ts'
import { database } from './database.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-columns-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A line as often as makes the file one that is read by columns. */
const many = (line: string, bytes = 1_200_000): string => line.repeat(Math.ceil(bytes / line.length))

const features: FeatureColumn[] = [
  { name: 'a', type: 'number' },
  { name: 'c', type: 'category' },
  { name: 'n', type: 'count' },
]

describe('a large CSV file', () => {
  it('gives the same by columns as by records, whatever its cells are', async () => {
    const cell = fc.oneof(
      fc.double({ noNaN: true, min: -1e99, max: 1e99 }).map(String),
      fc.constantFrom('', ' 1.5 ', '+5', '5.', '.5', '1e-400', 'NA', 'n/a', '-0', '00012', '9007199254740993', '0.1'),
      fc.stringMatching(/^[0-9eE.+_x -]{1,8}$/),
    )
    const text = fc.oneof(fc.constantFrom('web', 'app', '', 'NA', ' web', '"a,b"', '"web "', 'a"b', 'ü'), fc.string())
    const row = fc.tuple(cell, text, fc.constantFrom('1', '0', '', '7', 'x', '1.5')).map(cells => cells.join(','))
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 12 }), async rows => {
        const path = fileOf('either.csv', `a,c,n\n${rows.join('\n')}\n`)
        const input = await openInput(path)
        const exact: (readonly unknown[])[] = []
        const errors: unknown[] = []
        try {
          for await (const batch of csvRecords(input, error => errors.push(error)))
            for (const record of batch) exact.push(record.names().map(name => record.get(name)))
        } catch (error) {
          errors.push(error)
        }
        const quick: (readonly unknown[])[] = []
        const numbers: number[] = []
        const layout = { path, delimiter: ',', names: ['a', 'c', 'n'] }
        for await (const batch of csvColumns(layout, new Set(['a']), () => {})) {
          for (const [i, record] of batch.records.entries()) {
            quick.push(record.names().map(name => record.get(name)))
            const number = batch.numbers('a')![i]!
            if (!batch.doubtful(i)) numbers.push(number)
            const cell = record.get('a') as string | null
            if (!batch.doubtful(i)) expect(number, `${cell}`).toBe(cell === null ? Number.NaN : Number(cell))
          }
        }
        // It may leave rows to the other reader; what it gives is the same.
        expect(quick).toEqual(exact.slice(0, quick.length))
      }),
      { numRuns: Number(process.env.EDDY_CASES ?? 300) },
    )
  })

  it.each<[string, string, string, FeatureOptions]>([
    ['text that is no number', '1,web,2\n', 'x,web,2\n', {}],
    ['a number that is no count', '1,web,2\n', '1,web,2.5\n', {}],
    ['1_000', '1,web,2\n', '1_000,web,2\n', {}],
    ['a short row', '1,web,2\n', '1,web\n', {}],
    ['a broken quote', '1,web,2\n', '1,"web"x,2\n', {}],
  ])('names file and line of %s, or leaves it out', async (_, line, wrong, options) => {
    const before = many(line)
    const path = fileOf('wrong.csv', `a,c,n\n${before}${wrong}${line}`)
    const at = before.split('\n').length + 1
    const said = await readFeatures(path, { ...options, features }).then(
      ({ rows }) => `${rows} rows`,
      ({ message }) => message,
    )
    expect(said).toContain(`wrong.csv:${at}`)
    if (wrong.includes('"')) return
    const skipped: string[] = []
    const { rows } = await readFeatures(path, {
      features,
      skipInvalid: true,
      onSkip: ({ message }) => skipped.push(message),
    })
    expect(rows).toBe(at - 1)
    expect(skipped).toEqual([expect.stringContaining(`wrong.csv:${at}`)])
  })

  it('goes on record by record where cells need it, each once', async () => {
    const lines = Array.from({ length: 120_000 }, (_, i) => `${i},${i === 90_000 ? '"a ""b"""' : 'web'},${i % 7}\n`)
    const stream = await streamFeatures(fileOf('quoted.csv', `a,c,n\n${lines.join('')}`), { features })
    const values: number[] = []
    for await (const batch of stream.batches) for (let n = 0; n < batch.rows; n++) values.push(batch.values[n * 3]!)
    expect(values).toEqual(lines.map((_, i) => i))
    expect(stream.columns()[1]!.values).toEqual(['web', 'a "b"'])
  })

  it('has weights, missing values, and its other columns at hand', async () => {
    const path = fileOf('weights.csv', `id,a,w\n${many('00123456789012345678,NA,2\n9,,\n')}`)
    const options: FeatureOptions = { features: [{ name: 'a', type: 'number' }], weight: 'w' }
    let [rows, weight] = [0, 0]
    for await (const batch of (await streamFeatures(path, options)).batches) {
      expect(batch.values.every(Number.isNaN)).toBe(true)
      rows += batch.rows
      weight += batch.weights.reduce((a, b) => a + b, 0)
      expect(batch.records[0]!.text('id')).toBe('00123456789012345678')
    }
    expect(weight).toBe(1.5 * rows)
  })
})

describe('Parquet', () => {
  const written = async (name: string, select: string): Promise<string> => {
    const path = join(folder, name)
    await (await database()).run(`COPY (${select}) TO '${path}' (FORMAT parquet)`)
    return path
  }

  it('is read by its types: numbers, truth values, text, what is missing', async () => {
    const path = await written(
      'types.parquet',
      `SELECT * FROM (VALUES (1.5::FLOAT, 7::UTINYINT, true, 'web', 12.34::DECIMAL(9,2)), (NULL, 0, false, 'app', NULL), ('nan'::FLOAT, 3, NULL, NULL, 1)) t(f, n, d, c, m)`,
    )
    const { values, columns } = await readFeatures(path, {
      features: [
        { name: 'f', type: 'number' },
        { name: 'n', type: 'count' },
        { name: 'd', type: 'boolean' },
        { name: 'c', type: 'category' },
        { name: 'm', type: 'number' },
      ],
    })
    expect(columns[3]!.values).toEqual(['app', 'web'])
    const missing = Number.NaN
    expect([...values]).toEqual([1.5, 7, 1, 1, 12.34, missing, 0, 0, 0, missing, missing, 3, missing, missing, 1])
  })

  it('has its plan, and says which row is wrong', async () => {
    const path = await written(
      'plan.parquet',
      `SELECT i AS customer, i % 3 AS visits, i / 7 AS spend, 'x' AS note FROM range(5000) t(i)`,
    )
    const matrix = await readFeatures(path)
    expect(matrix.columns.map(({ name }) => name)).toEqual(['visits', 'spend'])
    expect(matrix.rows).toBe(5000)
    const counts: FeatureOptions = { features: [{ name: 'spend', type: 'count' }] }
    await expect(readFeatures(path, counts)).rejects.toThrow(/plan\.parquet:2: spend: expected a count/)
    await expect(readFeatures(path, { features: [{ name: 'none', type: 'number' }] })).rejects.toThrow(
      /expected the feature "none", got records with customer, visits, spend, note/,
    )
    await expect(readFeatures(path, { weight: 'w' })).rejects.toThrow(/expected the feature "w"/)
  })

  it('becomes events: ids keep their digits, moments are RFC 3339', async () => {
    const path = await written(
      'events.parquet',
      `SELECT 9007199254740993::BIGINT AS customer, TIMESTAMPTZ '2026-01-02 03:04:05.5+00' AS time, 2.5 AS spend`,
    )
    const events: unknown[] = []
    for await (const batch of readEvents(path)) events.push(...batch.map(({ event }) => event))
    expect(events).toEqual([
      { customer: '9007199254740993', time: '2026-01-02T03:04:05.500000Z', features: { spend: 2.5 } },
    ])
  })

  it('is one of the tables that a query may ask', async () => {
    const path = await written('query.parquet', `SELECT i AS a FROM range(10) t(i)`)
    const { values } = await readFeatures('', { query: `SELECT a, a * a AS b FROM '${path}' WHERE a > 7;` })
    expect([...values]).toEqual([8, 64, 9, 81])
    await expect(readFeatures('', { query: 'SELEC 1' })).rejects.toThrow(
      /the query: expected a table, got "Parser Error/,
    )
    await expect(readFeatures('', { query: `SELECT * FROM 'none.parquet'` })).rejects.toThrow(/none\.parquet/)
  })
})
