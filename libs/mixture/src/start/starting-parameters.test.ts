import { describe, expect, test } from 'vitest'
import { createSpecification } from '../model/specification.ts'
import { estimateTransform } from '../model/transform.ts'
import { startingParameters } from './starting-parameters.ts'

const block = { rows: 4, columns: 2, values: Float64Array.of(0, 0, 1, 30, 2, 10, 5, 20) }
const start = (covariance: 'full' | 'tied' | 'diag' | 'spherical', covariances_: unknown) => {
  const specification = createSpecification({ features: ['a', 'b'], components: 2, covariance })
  const means_ = [
    [0, 0],
    [1, 1],
  ]
  return startingParameters(specification, estimateTransform(specification, block), block, { means_, covariances_ })
}
const identity = [
  [1, 0],
  [0, 1],
]

describe('starting covariances that cannot be', () => {
  test.each([
    [
      'full',
      [
        identity,
        [
          [1, 0.5],
          [0.7, 1],
        ],
      ],
      /^covariances_\[1\]: expected a symmetric matrix, got 0\.7 at \[1\]\[0\] and 0\.5 at/,
    ],
    [
      'full',
      [
        identity,
        [
          [1, 2],
          [2, 1],
        ],
      ],
      /^covariances_\[1\]: expected a positive definite matrix, got one with an eigenvalue of -1\.00; shrink/,
    ],
    [
      'full',
      [
        [
          [1e6, 1e-3],
          [1e-3, 1e-12],
        ],
        identity,
      ],
      /^covariances_\[0\]: expected a positive definite matrix/,
    ],
    [
      'full',
      [
        identity,
        [
          [1, 0],
          [0, 0],
        ],
      ],
      /^covariances_\[1\]\[1\]\[1\]: expected a variance above 0, got 0/,
    ],
    [
      'tied',
      [
        [1, 1],
        [1, 1],
      ],
      /^covariances_: expected a positive definite matrix, got one with an eigenvalue of/,
    ],
    [
      'diag',
      [
        [1, 1],
        [1, -2],
      ],
      /^covariances_\[1\]\[1\]: expected a variance above 0, got -2/,
    ],
    ['spherical', [1, 0], /^covariances_\[1\]: expected a variance above 0, got 0/],
    [
      'spherical',
      [
        [1, 1],
        [0, 1],
      ],
      /^covariances_\[1\]\[0\]: expected a variance above 0, got 0/,
    ],
  ] as const)('%s %j', (covariance, covariances, message) => {
    expect(() => start(covariance, covariances)).toThrow(message)
  })

  test('are not those of features in very different units', () => {
    const odd = [
      [1e12, 0.9],
      [0.9, 1e-12],
    ]
    expect(start('full', [odd, odd]).means).toHaveLength(4)
    expect(
      start('full', [
        [
          [1, 0.1234567],
          [0.1234568, 1],
        ],
        identity,
      ]).means,
    ).toHaveLength(4)
  })
})
