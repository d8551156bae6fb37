import { join } from 'node:path'
import { random, standardNormal } from '@eddy/mixture'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { classifyCommand } from './classify.ts'

/** Class no: N(0, 1), prior 0.8. Class yes: N(2, 1), prior 0.2. */
function labelled(name: string, rows: number, seed: number): string {
  const next = random(seed)
  const lines = Array.from({ length: rows }, (_, i) => {
    const yes = next() < 0.2
    return `${i},${(yes ? 2 : 0) + standardNormal(next)},${yes ? 'yes' : 'no'}`
  })
  return fileOf(name, 'order,x,kind\n' + lines.join('\n'))
}
const train = labelled('train.csv', 20_000, 1)
const test = labelled('test.csv', 20_000, 2)
const learn = ['--train', train, '--label', 'kind', '--features', 'x']
const fixture = (name: string): string => join(import.meta.dirname, `../../../../test/fixtures/classify/${name}.csv`)
const classify = (...argv: string[]) => runCommand(classifyCommand, argv)

/** P(yes | x) in closed form. */
const yes = (x: number) => 1 / (1 + 4 * Math.exp(2 - 2 * x))

describe('eddy classify', () => {
  it('gives the posterior of two Gaussians, and decides at the closed-form threshold 1 + ½ ln 4', async () => {
    const input = fileOf('x.csv', 'x,id\n' + [-1, 0, 1.6, 1.8, 3].map((x, i) => `${x},${i}`).join('\n'))
    const { stdout, stderr, code } = await classify(...learn, '--input', input, '--keep', 'id')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    const lines = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(line => line.class)).toEqual(['no', 'no', 'no', 'yes', 'yes'])
    expect(lines.map(line => line.id)).toEqual(['0', '1', '2', '3', '4'])
    for (const [i, x] of [-1, 0, 1.6, 1.8, 3].entries()) {
      expect(Math.abs(lines[i].posterior.yes - yes(x))).toBeLessThan(0.02)
      expect(lines[i].posterior.yes + lines[i].posterior.no).toBeCloseTo(1, 12)
      expect(lines[i].risk).toBeCloseTo(Math.min(lines[i].posterior.yes, lines[i].posterior.no), 12)
    }
  })

  it('moves the threshold by costs and priors', async () => {
    const decided = async (...argv: string[]) => {
      const input = fileOf('grid.csv', 'x\n' + Array.from({ length: 401 }, (_, i) => i / 100 - 1).join('\n'))
      const { stdout } = await classify(...learn, '--input', input, ...argv)
      return stdout.split('\n').findIndex(line => line.includes('"class":"yes"')) / 100 - 1
    }
    // x > 1 + ½ ln(prior odds · cost ratio)
    expect(Math.abs((await decided()) - (1 + Math.log(4) / 2))).toBeLessThan(0.05)
    expect(Math.abs((await decided('--costs', 'yes:no=5')) - (1 + Math.log(4 / 5) / 2))).toBeLessThan(0.05)
    expect(Math.abs((await decided('--priors', 'yes=0.5,no=0.5')) - 1)).toBeLessThan(0.05)
  })

  it('rejects what costs more than deciding', async () => {
    const input = fileOf('doubt.csv', 'x\n0\n1.69\n4\n')
    const { stdout } = await classify(...learn, '--input', input, '--reject', '0.3')
    expect(
      stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).class),
    ).toEqual(['no', null, 'yes'])
  })

  it('reports the Bayes error on other events, beside its baselines', async () => {
    const { stdout } = await classify(...learn, '--input', test, '--report', '--json')
    const { mixture, histogram, 'most frequent': constant } = JSON.parse(stdout)
    // 0.8 (1 − Φ(1.693)) + 0.2 Φ(1.693 − 2) = 0.1121
    expect(Math.abs(mixture.error - 0.1121)).toBeLessThan(0.007)
    expect(mixture.events).toBe(20_000)
    expect(mixture.cost).toBeCloseTo(mixture.error, 12)
    expect(mixture.logLoss).toBeLessThanOrEqual(histogram.logLoss)
    expect(histogram.error).toBeLessThan(0.13)
    expect(Math.abs(constant.error - 0.2)).toBeLessThan(0.01)
    expect(mixture.confusion.yes.yes + mixture.confusion.yes.no).toBeGreaterThan(3_700)
    const table = (await classify(...learn, '--input', test, '--report')).stdout
    expect(table).toMatch(/classifier\s+error\s+rejected\s+mean cost\s+log loss\n\s*mixture\s+11\.\d\d%/)
  })

  it('knows shapes that naive Bayes does not: several components a class', async () => {
    const next = random(3)
    const ring = (name: string) =>
      fileOf(
        name,
        'x,y,kind\n' +
          Array.from({ length: 1_500 }, (_, i) => {
            const side = next() < 0.5 ? -3 : 3
            return i % 2
              ? `${side + 0.7 * standardNormal(next)},${0.7 * standardNormal(next)},out`
              : `${standardNormal(next)},${standardNormal(next)},in`
          }).join('\n'),
      )
    const [a, b] = [ring('ring-a.csv'), ring('ring-b.csv')]
    const error = async (...argv: string[]) => {
      const { stdout } = await classify('--train', a, '--label', 'kind', '--input', b, '--report', '--json', ...argv)
      return JSON.parse(stdout).mixture.error as number
    }
    expect(await error('--components', '2')).toBeLessThan((await error('--covariance', 'diag')) - 0.01)
  })

  it("smooths what was never seen with a class, as scikit-learn's CategoricalNB", async () => {
    const types = ['--types', 'channel=category,member=boolean', '--label', 'cls', '--train', fixture('unseen-train')]
    const input = fileOf('unseen.csv', 'channel,member\napp,1\napp,0\nweb,1\nweb,0\n')
    const of = async (...argv: string[]) =>
      (await classify(...types, '--input', input, ...argv)).stdout
        .trim()
        .split('\n')
        .map(line => JSON.parse(line).posterior.a as number)
    // scikit-learn 1.9.1: CategoricalNB(alpha=1, min_categories=[3, 2])
    const expected = [0.1159029649595687, 0.518072289156627, 0.09081309398099258, 0.4502617801047121]
    for (const [i, p] of (await of()).entries()) expect(Math.abs(p - expected[i]!)).toBeLessThan(1e-9)
    // By hand: shares 4/44 and 40/44, channel 0.5/5.5 and 3.5/41.5, member 4.5/5 and 40.5/41.
    const [a, b] = [(4 / 44) * (0.5 / 5.5) * (4.5 / 5), (40 / 44) * (3.5 / 41.5) * (40.5 / 41)]
    expect((await of('--smoothing', '0.5'))[0]).toBeCloseTo(a / (a + b), 9)
    expect((await of('--smoothing', '0'))[0]).toBeLessThan(1e-10)
  })

  it('smooths counts that were always 0 in a class', async () => {
    const rows = [...Array(9).fill('0,no'), ...Array(9).fill('4,yes')]
    const counted = [
      '--train',
      fileOf('counts.csv', `n,kind\n${rows.join('\n')}\n`),
      '--label',
      'kind',
      '--types',
      'n=count',
    ]
    const { stdout } = await classify(...counted, '--input', fileOf('one.csv', 'n\n1\n'))
    // One pseudo-event of the mean of all, 2: rates (0 + 2)/10 and (36 + 2)/10.
    const [no, yes] = [0.2 * Math.exp(-0.2), 3.8 * Math.exp(-3.8)]
    expect(JSON.parse(stdout).posterior.no).toBeCloseTo(no / (no + yes), 9)
  })

  it("shares a covariance between classes, as scikit-learn's LinearDiscriminantAnalysis", async () => {
    const learned = ['--train', fixture('discriminant-train'), '--label', 'cls', '--shared-covariance']
    const { stdout, stderr } = await classify(...learned, '--input', fixture('discriminant-test'))
    expect(stderr).toBe('')
    const rare = stdout
      .trim()
      .split('\n')
      .map(line => JSON.parse(line).posterior.rare as number)
    // scikit-learn 1.9.1: LinearDiscriminantAnalysis(solver='lsqr')
    const expected = [
      0.8771527438817753, 0.869862891301289, 0.31651236089100104, 0.1745524477350596, 0.7243266195688732,
    ]
    for (const [i, p] of expected.entries()) expect(Math.abs(rare[i]! - p)).toBeLessThan(1e-9)
    const report = async (...argv: string[]) =>
      JSON.parse(
        (await classify(...learned, ...argv, '--input', fixture('discriminant-test'), '--report', '--json')).stdout,
      ).mixture
    const { error, logLoss } = await report()
    expect(error).toBeCloseTo(40 / 120, 12)
    expect(logLoss).toBeCloseTo(0.710026512695782, 9)
    expect(await classify(...learned, '--components', '2', '--input', test)).toMatchObject({ code: 2 })
  })

  it('shares a covariance where values are missing, and writes it', async () => {
    const gaps = fileOf('gaps.csv', 'x,y,kind\n1,2,a\n2,,a\n3,5,a\n,1,b\n7,3,b\n9,4,b\n8,2,b\n')
    const out = fileOf('lda.json', '')
    const input = fileOf('ask.csv', 'x,y\n4,3\n5,\n')
    const learned = ['--train', gaps, '--label', 'kind', '--shared-covariance']
    const first = await classify(...learned, '--input', input, '--out', out)
    expect(first.code).toBe(0)
    expect((await classify('--model', out, '--input', input)).stdout).toBe(first.stdout)
  })

  it('writes a classifier that another run reads', async () => {
    const out = fileOf('classifier.json', '')
    const input = fileOf('again.csv', 'x\n0.5\n2.5\n')
    const first = await classify(...learn, '--input', input, '--out', out)
    const second = await classify('--model', out, '--input', input)
    expect(second.code).toBe(0)
    expect(second.stdout).toBe(first.stdout)
  })

  it.each([
    [['--input', test], 2, /expected either --train FILE with --label COLUMN, or --model FILE/],
    [['--train', train, '--input', test], 2, /--label: expected the column of the class/],
    [
      ['--train', train, '--label', 'kid', '--input', test],
      1,
      /expected the feature "kid", got records with order, x, kind/,
    ],
    [[...learn, '--input', test, '--priors', 'maybe=1'], 1, /--priors: expected one of no, yes, got maybe/],
    [
      [...learn, '--input', test, '--costs', 'yes=5'],
      1,
      /--costs: expected one of no:no, no:yes, yes:no, yes:yes, got yes/,
    ],
    [
      ['--train', fileOf('same.csv', 'x,kind\n1,a\n2,a\n'), '--label', 'kind', '--input', test],
      1,
      /kind: expected at least two classes, got a/,
    ],
    [
      ['--train', fileOf('ids.csv', 'x,order\n1,a\n2,b\n3,c\n'), '--label', 'order', '--input', test],
      1,
      /order: expected a column of classes, got 3 different values in 3 records: an id\?/,
    ],
    [['--model', fileOf('none.json', '{}'), '--input', test], 1, /"format": "eddy-classifier", got something else/],
  ])('refuses wrong use %#', async (argv, code, message) => {
    expect(await classify(...argv)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) })
  })
})
