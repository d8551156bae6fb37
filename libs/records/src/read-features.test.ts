import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { largestMagnitude } from '@eddy/messages'
import { describe, expect, it } from 'vitest'
import type { FeatureColumn } from './feature-columns.ts'
import { InputError } from './input-error.ts'
import { collectFeatures, type FeatureOptions, readFeatures, streamFeatures } from './read-features.ts'
import { fileOf } from './testing/temporary-file.ts'

const numbers = (...names: string[]): FeatureColumn[] => names.map(name => ({ name, type: 'number' }))
const rowsOf = async (path: string, options: FeatureOptions = {}) => {
  const { values, rows, columns } = await readFeatures(path, options)
  return Array.from({ length: rows }, (_, i) => [...values.subarray(i * columns.length, (i + 1) * columns.length)])
}

const csv = 'customer,a,b\nx,1,2.5\ny,,-3e2\n'
const ndjson = '{"customer":"x","a":1,"b":2.5}\n\n{"customer":"y","features":{"a":null,"b":-300}}\n'
const expected = [
  [1, 2.5],
  [Number.NaN, -300],
]

describe('features of a file', () => {
  it.each([
    ['CSV', 'plain.csv', csv],
    [
      'CSV with a byte order mark, CRLF and semicolons',
      'bom.csv',
      '\ufeff' + csv.replaceAll(',', ';').replaceAll('\n', '\r\n'),
    ],
    ['tabs and quotes', 'tabs.tsv', 'customer\ta\tb\n"x"\t"1"\t2.5\n"y\t"\t\t-3e2'],
    ['NDJSON', 'plain.ndjson', ndjson],
    ['NDJSON without a telling name', 'events', ndjson],
    ['CSV without a telling name', 'table', csv],
    ['a JSON array', 'plain.json', `[${ndjson.trim().split(/\n+/)}]`],
    ['UTF-16', 'utf16.csv', Buffer.from(`\ufeff${csv}`, 'utf16le')],
    ['Zstandard', 'plain.ndjson.zst', zstdCompressSync(ndjson)],
    ['gzip', 'plain.csv.gz', gzipSync(csv)],
    ['gzip without a telling name', 'packed', gzipSync(ndjson)],
    ['gzip in two members', 'two.csv.gz', Buffer.concat([gzipSync(csv.slice(0, 17)), gzipSync(csv.slice(17))])],
  ])('from %s', async (_, name, content) => {
    expect(await rowsOf(fileOf(name, content), { features: numbers('a', 'b') })).toEqual(expected)
  })

  it('from standard input, one byte at a time', async () => {
    const stdin = Readable.from([...Buffer.from(csv)].map(byte => Buffer.of(byte)))
    expect(await rowsOf('-', { features: numbers('a', 'b'), stdin })).toEqual(expected)
  })

  it('in the order asked for, or every column but customer, time and weight', async () => {
    expect(await rowsOf(fileOf('order.csv', csv), { features: numbers('b') })).toEqual([[2.5], [-300]])
    const all = await readFeatures(fileOf('all.csv', 'time,weight,customer,z,y\n1,1,c,5,6\n'))
    expect(all.columns.map(column => column.name)).toEqual(['z', 'y'])
  })

  it('with weights from a column', async () => {
    const path = fileOf('weights.ndjson', '{"a":1,"w":2}\n{"a":2}\n')
    expect([...(await readFeatures(path, { features: numbers('a'), weight: 'w' })).weights]).toEqual([2, 1])
  })

  it('as codes of categories in the order of their names, booleans and counts', async () => {
    const path = fileOf('types.csv', 'c,d,n\nweb,true,0\napp,0,3\n,,\nweb,false,1\n')
    const features: FeatureColumn[] = [
      { name: 'c', type: 'category' },
      { name: 'd', type: 'boolean' },
      { name: 'n', type: 'count' },
    ]
    const matrix = await readFeatures(path, { features })
    expect(matrix.columns[0]!.values).toEqual(['app', 'web'])
    expect([...matrix.values]).toEqual([1, 1, 0, 0, 0, 3, NaN, NaN, NaN, 1, 0, 1])
    const scored = [{ name: 'c', type: 'category' as const, values: ['app'] }]
    await expect(readFeatures(path, { features: scored })).rejects.toThrow(
      /types\.csv:2: c: expected one of "app", got "web"/,
    )
  })

  it('in batches, so that a long file is never whole in memory', async () => {
    const lines = Array.from({ length: 5_000 }, (_, i) => `{"a":${i}}`)
    const stream = await streamFeatures(fileOf('long.ndjson', lines.join('\n')), { features: numbers('a') })
    const sizes: number[] = []
    let sum = 0
    for await (const { rows, values } of stream.batches) {
      sizes.push(rows)
      for (const value of values) sum += value
    }
    expect(sizes).toEqual([1024, 1024, 1024, 1024, 904])
    expect(sum).toBe((4_999 * 5_000) / 2)
  })

  it('leaves wrong records out when asked, and tells each', async () => {
    const skipped: string[] = []
    const path = fileOf('skip.csv', 'a,b\n1,1\n1,x\n2,2\nNaN,3\n')
    const rows = await rowsOf(path, { skipInvalid: true, onSkip: error => void skipped.push(error.message) })
    expect(rows).toEqual([
      [1, 1],
      [2, 2],
    ])
    expect(skipped.map(message => /:(\d+): /.exec(message)![1])).toEqual(['3', '5'])
  })

  it.each([
    ['rows with too few or too many cells', 'ragged.csv', 'a,b\n1,1\n1\n2,2\n3,3,3\n4,4\n', ['3', '5']],
    [
      'lines that are no JSON, no object, no UTF-8 or without features in their object',
      'lines.ndjson',
      Buffer.from(
        '{"a":1,"b":1}\n{"a":1,\n[1]\n{"a":2,"b":2}\n{"features":7}\n{"a":"\xff"}\n{"a":4,"b":4}\n',
        'latin1',
      ),
      ['2', '3', '5', '6'],
    ],
  ])('leaves out %s when asked, and tells each', async (_, name, content, lines) => {
    const skipped: string[] = []
    const options = { features: numbers('a', 'b'), onSkip: (error: InputError) => void skipped.push(error.message) }
    expect(await rowsOf(fileOf(name, content), { ...options, skipInvalid: true })).toEqual([
      [1, 1],
      [2, 2],
      [4, 4],
    ])
    expect(skipped.map(message => /:(\d+): /.exec(message)![1])).toEqual(lines)
    await expect(rowsOf(fileOf(name, content), options)).rejects.toThrow(InputError)
  })
})

describe('input that cannot be used', () => {
  const ab = { features: numbers('a', 'b') }
  it.each([
    ['an empty file', 'empty.csv', '', /empty\.csv: expected NDJSON or CSV records, got an empty file/],
    ['only a header', 'header.csv', 'a,b\n', /expected at least one record, got none below the header line/],
    ['only blank lines', 'blank.ndjson', '\n\n', /expected at least one record, got none/],
    [
      'a missing CSV column',
      'missing.csv',
      'a,c\n1,2\n',
      /expected the feature "b", got records with a, c\. Correct the name where it is given/,
    ],
    [
      'a JSON key no record has',
      'missing.ndjson',
      '{"a":1,"c":2}\n{"a":1}\n',
      /expected the feature "b", got records with a, c/,
    ],
    ['text', 'text.csv', 'a,b\n1,2\n1,blue\n', /text\.csv:3: b: expected a number, got "blue"\. Leave it empty/],
    ['text in JSON', 'text.ndjson', '{"a":1,"b":"2"}', /text\.ndjson:1: b: expected a number, got "2"/],
    ['true', 'true.ndjson', '{"a":1,"b":true}', /b: expected a number, got true/],
    ['an array', 'array.ndjson', '{"a":1,"b":[1]}', /b: expected a number, got \[1\]/],
    ['NaN', 'nan.csv', 'a,b\n1,NaN\n', /nan\.csv:2: b: expected a number, got "NaN"/],
    ['NaN in JSON', 'nan.ndjson', '{"a":1,"b":NaN}', /nan\.ndjson:1: .* JSON has no NaN or Infinity: write null/],
    ['Infinity', 'inf.csv', 'a,b\n1,Infinity\n', /b: expected a number of ±1e\+100, got "Infinity"/],
    ['1e308', 'huge.csv', 'a,b\n1,1e308\n', /b: expected a number of ±1e\+100, got "1e308"/],
    ['1e999 in JSON', 'huge.ndjson', '{"a":1,"b":1e999}', /b: expected a number of ±1e\+100/],
    ['hexadecimal', 'hex.csv', 'a,b\n1,0x1f\n', /b: expected a number, got "0x1f"/],
    ['a decimal comma', 'comma.csv', 'a;b\n1;2,5\n', /b: expected a number, got "2,5"\. Use a decimal point/],
    ['a short row', 'short.csv', 'a,b\n1,2\n3\n', /short\.csv:3: expected 2 cells \(a, b\), got 1\./],
    ['an open quote', 'quote.csv', 'a,b\n1,"2\n', /quote\.csv:\d+: expected CSV as in RFC 4180/],
    ['no header', 'noheader.csv', '1,2\n3,4\n', /noheader\.csv:1: expected a header line .*, got numbers \(1, 2\)/],
    ['a doubled column', 'double.csv', 'a,b,a\n1,2,3\n', /expected different column names, got "a" twice/],
    ['broken JSON', 'broken.ndjson', '{"a":1,"b":2}\n{"a":1,', /broken\.ndjson:2: expected one JSON object a line/],
    ['a JSON value', 'value.ndjson', '{"a":1,"b":2}\n7', /value\.ndjson:2: expected a JSON object, got 7/],
    [
      'features that are no object',
      'nest.ndjson',
      '{"features":[1]}',
      /features: expected an object of name to value, got \[1\]/,
    ],
    ['a JSON array of numbers', 'array.json', '[1, 2]', /array\.json:1: expected a JSON object, got 1/],
    ['a cut JSON array', 'cut.json', '[{"a":1,"b":2},', /cut\.json: expected a JSON array with its \] at the end/],
    ['a broken JSON array', 'open.json', '[{"a":1,"b":2},{"a":]', /open\.json: expected a JSON array of objects/],
    ['a JSON array, packed', 'array.json.gz', gzipSync('[{"a":1,"b":2}]'), /expected a plain file for a JSON array/],
    ['Parquet that is none', 'x.parquet', 'PAR1....', /x\.parquet: expected a table, got "/],
    ['Excel', 'x.xlsx', 'PK\u0003\u0004....', /got a ZIP or Excel file/],
    ['cut UTF-16', 'utf16.csv', Buffer.from('\ufeffa,b\n1,2\n', 'utf16le').subarray(0, -1), /expected UTF-16LE text/],
    ['Latin 1', 'latin1.csv', Buffer.from('a,b,ü\n1,2,3\n', 'latin1'), /expected UTF-8 text, got other bytes/],
    ['Latin 1 in JSON', 'latin1.ndjson', Buffer.from('{"a":1,"b":2,"ü":1}\n', 'latin1'), /expected UTF-8 text/],
    ['cut gzip', 'cut.csv.gz', gzipSync('a,b\n' + '1,2\n'.repeat(10_000)).subarray(0, 60), /expected whole gzip data/],
    [
      'an endless line',
      'endless.ndjson',
      '{"a":"' + 'x'.repeat(5 * 1024 * 1024),
      /expected lines of at most 4194304 bytes/,
    ],
  ])('%s', async (_, name, content, message) => {
    const reading = readFeatures(fileOf(name, content), ab)
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toBeInstanceOf(InputError)
  })

  it('a file that is not there, a folder', async () => {
    await expect(readFeatures('/nowhere/x.csv')).rejects.toThrow(/x\.csv: expected a file, got no such file/)
    await expect(readFeatures('/')).rejects.toThrow(/expected a file, got a folder/)
  })

  it('a weight that is none', async () => {
    const options = { features: numbers('a'), weight: 'w' }
    await expect(readFeatures(fileOf('w.csv', 'a,w\n1,0\n'), options)).rejects.toThrow(
      /:2: w: expected a weight above 0/,
    )
    await expect(readFeatures(fileOf('w2.csv', 'a,v\n1,0\n'), options)).rejects.toThrow(/expected the feature "w"/)
  })

  it('takes the largest number it promises', async () => {
    const path = fileOf('edge.csv', `a\n${largestMagnitude}\n-${largestMagnitude}\n-0\n`)
    const { values } = await collectFeatures(await streamFeatures(path, { features: numbers('a') }))
    expect([...values]).toEqual([largestMagnitude, -largestMagnitude, -0])
  })
})
