import { type Plot, palette, svgPlots } from '@eddy/cli/plot'
import { type Block, gaussian, mixture, type Random, random, standardNormal } from '@eddy/mixture'
import { em } from './em.ts'
import type { Lesson } from './lesson.ts'
import { invert, leastSquares, type Matrix, multiply, transpose } from './small-matrices.ts'

/**
 * Structure from motion as factor analysis (Tomasi & Kanade 1992). A rigid body is seen by several cameras; each point of it
 * is an event whose features are its 2-D places in all views. Those 2F features have three causes: the point's place in 3-D.
 * So x = Λ z + μ + noise with three factors, and the posterior mean of z is the body, up to a linear map. That each camera
 * has perpendicular axes of equal length fixes the map up to a rotation.
 */
export function factorAnalysis(): Lesson {
  const generator = random(41)
  const body = helixAndPlane(generator)
  const cameras = Array.from({ length: 12 }, () => axesOf(generator))
  const noise = 0.02
  const views: Block = {
    rows: body.length,
    columns: 2 * cameras.length,
    values: Float64Array.from(
      body.flatMap(point =>
        cameras.flatMap(axes => axes.map(axis => dot(axis, point) + noise * standardNormal(generator))),
      ),
    ),
  }
  const model = mixture(gaussian({ components: 1, columns: views.columns, covariance: 'factor', factors: 3 }))
  const { parameters, logLikelihoods } = em(model, views, model.initial(views), 400)
  const loadings: Matrix = rowsOf(parameters.loadings!, 3)
  const noiseVariance = parameters.noiseVariances!.reduce((a, b) => a + b) / views.columns
  const latent = posteriorMeans(views, [...parameters.means!], loadings, [...parameters.noiseVariances!])
  const found = upgraded(loadings, latent)
  const aligned = alignedTo(body, found)
  return {
    pictures: {
      'factor-analysis.svg': svgPlots([
        cloud(views, 0, 'What one camera saw'),
        scatter(body, aligned, [0, 1], 'Found in 3-D: from the front'),
        scatter(body, aligned, [0, 2], 'Found in 3-D: from above'),
      ]),
    },
    numbers: {
      distanceError: distanceError(body, found),
      noiseSd: Math.sqrt(noiseVariance),
      trueNoiseSd: noise,
      largestFall: Math.max(...logLikelihoods.slice(1).map((value, i) => logLikelihoods[i]! - value)),
    },
    summary: `distances between the points of the body: relative error ${(100 * distanceError(body, found)).toFixed(2)} %; noise sd ${Math.sqrt(noiseVariance).toFixed(4)} (true ${noise})`,
  }
}

type Vector = readonly number[]

/** A helix around a mast above a square plate. */
function helixAndPlane(generator: Random): Vector[] {
  const helix = Array.from({ length: 60 }, (_, i) => {
    const angle = (i / 60) * 4 * Math.PI
    return [0.8 * Math.cos(angle), -1 + i / 30, 0.8 * Math.sin(angle)]
  })
  const plate = Array.from({ length: 60 }, () => [2.4 * generator() - 1.2, -1.2, 2.4 * generator() - 1.2])
  return [...helix, ...plate]
}

/** Two perpendicular unit vectors: the image axes of a camera that looks from a random side. */
function axesOf(generator: Random): [Vector, Vector] {
  const draw = (): number[] => [0, 1, 2].map(() => standardNormal(generator))
  const unit = (v: Vector): Vector => v.map(value => value / Math.hypot(...v))
  const u = unit(draw())
  const w = draw()
  return [u, unit(w.map((value, i) => value - dot(u, w) * u[i]!))]
}

const dot = (a: Vector, b: Vector): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0)

/** E[z | x] = (I + Λᵀ Ψ⁻¹ Λ)⁻¹ Λᵀ Ψ⁻¹ (x − μ) of every event. */
function posteriorMeans(events: Block, mean: Vector, loadings: Matrix, noise: Vector): Matrix {
  const weighted = loadings.map((row, j) => row.map(value => value / noise[j]!))
  const precision = multiply(transpose(weighted), loadings).map((row, i) => row.map((v, j) => v + (i === j ? 1 : 0)))
  const regression = multiply(invert(precision), transpose(weighted))
  return rowsOf(events.values, events.columns).map(x => {
    const centred = x.map((value, j) => value - mean[j]!)
    return regression.map(row => dot(row, centred))
  })
}

/**
 * Undoes the linear map: with Q = A Aᵀ, the image axes u, v of every camera (rows of Λ A) must have uᵀ Q u = vᵀ Q v = 1 and
 * uᵀ Q v = 0. Six unknowns, linear in Q.
 */
function upgraded(loadings: Matrix, latent: Matrix): Matrix {
  const product = (a: Vector, b: Vector): number[] => [
    a[0]! * b[0]!,
    a[1]! * b[1]!,
    a[2]! * b[2]!,
    a[0]! * b[1]! + a[1]! * b[0]!,
    a[0]! * b[2]! + a[2]! * b[0]!,
    a[1]! * b[2]! + a[2]! * b[1]!,
  ]
  const equations: number[][] = []
  const values: number[] = []
  for (let camera = 0; camera < loadings.length; camera += 2) {
    const [u, v] = [loadings[camera]!, loadings[camera + 1]!]
    equations.push(product(u, u), product(v, v), product(u, v))
    values.push(1, 1, 0)
  }
  const [a, b, c, d, e, f] = leastSquares(
    equations,
    values.map(value => [value]),
  ).map(row => row[0]!)
  // Cholesky: Q = A Aᵀ. The body is A⁻¹ z.
  const l00 = Math.sqrt(a!)
  const [l10, l20] = [d! / l00, e! / l00]
  const l11 = Math.sqrt(b! - l10 * l10)
  const l21 = (f! - l20 * l10) / l11
  const l22 = Math.sqrt(c! - l20 * l20 - l21 * l21)
  const inverse = invert([
    [l00, 0, 0],
    [l10, l11, 0],
    [l20, l21, l22],
  ])
  return latent.map(z => inverse.map(row => dot(row, z)))
}

/** Relative root mean square error of all distances between points: blind to rotation, shift and mirror. */
function distanceError(body: readonly Vector[], found: Matrix): number {
  let error = 0
  let size = 0
  for (let i = 0; i < body.length; i++) {
    for (let j = 0; j < i; j++) {
      const exact = Math.hypot(...body[i]!.map((value, c) => value - body[j]![c]!))
      const recovered = Math.hypot(...found[i]!.map((value, c) => value - found[j]![c]!))
      error += (recovered - exact) ** 2
      size += exact ** 2
    }
  }
  return Math.sqrt(error / size)
}

/** For the picture only: turned, shifted and mirrored onto the body by least squares. */
function alignedTo(body: readonly Vector[], found: Matrix): Matrix {
  const extended = found.map(point => [...point, 1])
  return multiply(
    extended,
    leastSquares(
      extended,
      body.map(point => [...point]),
    ),
  )
}

function rowsOf(values: Float64Array, columns: number): Matrix {
  return Array.from({ length: values.length / columns }, (_, i) => [...values.subarray(i * columns, (i + 1) * columns)])
}

const frame = { width: 320, height: 320 }

function cloud(views: Block, camera: number, title: string): Plot {
  const seen = rowsOf(views.values, views.columns)
  return {
    ...frame,
    title,
    x: { label: 'image x', domain: [-2, 2] },
    y: { label: 'image y', domain: [-2, 2] },
    marks: [
      {
        kind: 'points',
        x: seen.map(r => r[2 * camera]!),
        y: seen.map(r => r[2 * camera + 1]!),
        colour: palette[6]!,
        radius: 2.5,
      },
    ],
  }
}

function scatter(body: readonly Vector[], found: Matrix, [i, j]: readonly [number, number], title: string): Plot {
  return {
    ...frame,
    title,
    x: { label: 'xyz'[i]!, domain: [-1.6, 1.6] },
    y: { label: 'xyz'[j]!, domain: [-1.6, 1.6] },
    marks: [
      {
        kind: 'points',
        x: body.map(p => p[i]!),
        y: body.map(p => p[j]!),
        colour: palette[4]!,
        radius: 5,
        opacity: 0.5,
        name: 'true',
      },
      {
        kind: 'points',
        x: found.map(p => p[i]!),
        y: found.map(p => p[j]!),
        colour: palette[0]!,
        radius: 2,
        opacity: 1,
        name: 'recovered',
      },
    ],
  }
}
