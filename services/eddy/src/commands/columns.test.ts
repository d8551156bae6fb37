import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { fitCommand } from './fit.ts'
import { scoreCommand } from './score.ts'

const fit = async (...argv: string[]) => {
  const { code, stderr, stdout } = await runCommand(fitCommand, ['--components', '1', '--json', ...argv])
  return { code, stderr, json: code === 0 ? JSON.parse(stdout) : undefined }
}
const names = (json: { specification: { features: { name: string; type: string }[] } }) =>
  json.specification.features.map(({ name, type }) => `${name}=${type}`)

describe('the columns of a file', () => {
  const csv = fileOf('shop.csv', 'customer,visits,country,spend\na,1,de,5\nb,4,fr,7.5\nc,2,de,1\n')

  it('are all learned where --types says what some are', async () => {
    const { json, stderr } = await fit('--input', csv, '--types', 'visits=count,country=category')
    expect(names(json)).toEqual(['visits=count', 'country=category', 'spend=number'])
    expect(stderr).toBe('')
    const unknown = await fit('--input', csv, '--types', 'visit=count')
    expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('expected the feature "visit"') })
    const later = fileOf('later.ndjson', '{"a":1,"b":2}\n{"a":2,"b":1,"n":4}\n{"a":2,"n":4}\n')
    expect(names((await fit('--input', later, '--types', 'n=count')).json)).toEqual(['a=number', 'b=number', 'n=count'])
  })

  it('are left out, with a word, where they are text', async () => {
    const { json, stderr } = await fit('--input', csv)
    expect(names(json)).toEqual(['visits=number', 'spend=number'])
    expect(stderr).toBe('eddy: left out country (text: it can be learned with the type category)\n')
  })

  it('hold one use each: a weight is not learned', async () => {
    const b = fileOf('b.csv', 'x,w\n1,1\n3,3\n')
    const { json } = await fit('--input', b, '--weight', 'w', '--no-transform')
    expect(names(json)).toEqual(['x=number'])
    expect(json.means_[0][0]).toBeCloseTo(2.5, 12)
  })

  it('hold a weight that is used, or of which is said that it is not', async () => {
    const flat = fileOf('bodies.csv', 'height,weight\n170,60\n180,80\n')
    const left = await fit('--input', flat)
    expect(names(left.json)).toEqual(['height=number'])
    expect(left.stderr).toMatch(/left out weight \(.*--weight.*--features\)/)
    const learned = await fit('--input', flat, '--features', 'height,weight')
    expect(names(learned.json)).toEqual(['height=number', 'weight=number'])
    const weighed = await fit('--input', flat, '--weight', 'weight', '--no-transform')
    expect(weighed.json.means_[0][0]).toBeCloseTo((170 * 60 + 180 * 80) / 140, 9)
    const events = fileOf('events.ndjson', '{"customer":"a","weight":3,"features":{"x":1}}\n{"features":{"x":5}}\n')
    const nested = await fit('--input', events, '--no-transform')
    expect(nested).toMatchObject({ stderr: '', json: { means_: [[expect.closeTo(2, 12)]] } })
    const inside = fileOf('inside.ndjson', '{"features":{"weight":1}}\n{"features":{"weight":5},"weight":3}\n')
    const both = await fit('--input', inside, '--features', 'weight', '--no-transform')
    expect(both.json.means_[0][0]).toBeCloseTo(4, 12)
  })

  it('are left out, with a word, where they are ids', async () => {
    const rows = Array.from(
      { length: 40 },
      (_, i) => `${i},${7000 + 13 * i},${1 + (i % 3)},${90 - i},${i % 7},${2000 + i}`,
    )
    const path = fileOf('ids.csv', `row,user_id,productId,order,visits,year\n${rows.join('\n')}\n`)
    const { json, stderr } = await fit('--input', path)
    expect(names(json)).toEqual(['visits=number', 'year=number'])
    for (const name of ['user_id', 'productId', 'order'])
      expect(stderr).toContain(`left out ${name} (an id: its numbers measure nothing)`)
    expect(stderr).toContain('left out row (numbers the records)')
    expect(names((await fit('--input', path, '--features', 'user_id,visits')).json)).toContain('user_id=number')
  })

  it('hold true and false as Python, R and spreadsheets write them', async () => {
    const path = fileOf('truths.csv', 'x,member\n1,True\n2,TRUE\n3,true\n4,1\n5,False\n6,FALSE\n7,false\n8,0\n')
    const { json, stderr } = await fit('--input', path, '--types', 'member=boolean')
    expect({ stderr, p: json.probabilities_ }).toEqual({ stderr: '', p: [[expect.closeTo(0.5, 12)]] })
    expect((await fit('--input', path)).stderr).toMatch(/left out member \(true or false: .* type boolean\)/)
    const wrong = await fit('--input', fileOf('tRuE.csv', 'x,m\n1,tRuE\n'), '--types', 'm=boolean')
    expect(wrong.stderr).toContain('m: expected true or false, got "tRuE"')
  })
})

describe('--keep', () => {
  it('gives numbers as numbers, and what is written otherwise as it is written', async () => {
    const input = 'x,n,price,code,big,flag,id,none\n1,7,2.50,007,12345678901234567890,true,42,\n'
    const ndjson =
      '{"x":1,"n":7,"price":2.50,"code":"007","big":12345678901234567890,"flag":true,"id":42,"none":null}\n'
    const model = fileOf('keep.json', '')
    await runCommand(fitCommand, ['--input', fileOf('x.csv', 'x\n1\n2\n'), '--components', '1', '--out', model])
    const keep = ['--model', model, '--input', '-', '--keep', 'n,price,code,big,flag,none']
    const expected = { n: 7, price: 2.5, code: '007', big: '12345678901234567890', flag: true, none: null }
    for (const text of [input, ndjson]) {
      const { stdout, stderr } = await runCommand(scoreCommand, keep, text)
      expect(stderr).toBe('')
      expect(JSON.parse(stdout)).toMatchObject(expected)
    }
    const ids = ['--model', model, '--input', '-', '--keep', 'id']
    expect(JSON.parse((await runCommand(scoreCommand, ids, input)).stdout).id).toBe('42')
  })
})
