import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { runCommand } from '../testing/run-command.ts'
import { fileOf } from '../testing/temporary-file.ts'
import { fitCommand } from './fit.ts'
import { scoreCommand } from './score.ts'

/** 84 events of three numbers. */
const events = join(import.meta.dirname, '../../../../test/fixtures/classify/discriminant-train.csv')
const cluster = (...argv: string[]) =>
  runCommand(fitCommand, ['--input', events, '--features', 'x,y,z', '--algorithm', 'kmeans', ...argv])

describe('eddy fit --algorithm kmeans', () => {
  it.each([
    // scikit-learn 1.9.1: KMeans(K, n_init=200).inertia_ of the standardised columns, and how far behind each seed may be
    [2, 179.5408625351983, 1e-9],
    [3, 139.11537554858498, 0.01],
    [4, 107.30094250819894, 1e-9],
    [5, 95.44006461135078, 0.02],
    [8, 67.00213712240279, 0.05],
  ])("finds scikit-learn's inertia: K = %i", async (K, inertia, behind) => {
    for (const seed of ['1', '2', '3']) {
      const { stdout } = await cluster('--components', String(K), '--seed', seed, '--json')
      expect((-84 * JSON.parse(stdout).lower_bound_) / inertia - 1).toBeLessThan(behind)
    }
  })

  it('gives each event to the nearest centre, and says the mean squared distance', async () => {
    const model = fileOf('centres.json', '')
    const fitted = await cluster('--components', '4', '--out', model, '--json')
    const { parameters, lower_bound_ } = JSON.parse(fitted.stdout)
    const { stdout } = await runCommand(scoreCommand, ['--model', model, '--input', events, '--keep', 'x,y,z'])
    let inertia = 0
    for (const line of stdout.trim().split('\n')) {
      const { segment, posterior, x, y, z } = JSON.parse(line)
      const distances = [0, 1, 2, 3].map(k =>
        [x, y, z].reduce((sum, value, j) => {
          const scaled = (value - parameters.transformCentre[j]) / parameters.transformScale[j]
          return sum + (scaled - parameters.centres[3 * k + j]) ** 2
        }, 0),
      )
      const least = Math.min(...distances)
      inertia += least
      expect(segment).toBe(`s${distances.indexOf(least) + 1}`)
      expect(posterior).toEqual(distances.map(distance => Number(distance === least)))
    }
    expect(-lower_bound_ * 84).toBeCloseTo(inertia, 9)
    expect((await cluster('--components', '4')).stdout).toMatch(
      /mean squared distance 1\.277 \(in standardised units\) per event/,
    )
  })
})
