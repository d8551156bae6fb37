import { boundLogDensity } from '../../numerics/log-sum-exp.ts'
import { logFactorial } from '../../numerics/special.ts'
import type { Block } from '../block.ts'
import { columnwise, type Family, type Statistics } from '../family.ts'
import { estimateProbabilities } from './probabilities.ts'

/**
 * Rows of d counts that share a total N: p(x | N) = N!/Π x_j! Π p_j^x_j (the total itself is not modelled).
 * Statistics: `[ s0 (K) | Σ r x (K·d) ]`. Parameters: `probabilities` (K, d), rows sum to 1; under a prior pulled to the overall
 * shares by `meanPseudoEvents` counts.
 *
 * Missing counts (NaN, or negative): the density is that of the observed counts given their own total, p_j/Σ_O p; the statistics take
 * N_O p_j/Σ_O p for a missing one, which is EM for truncated groups (Dempster, Laird & Rubin 1977, §4.2).
 */
export function multinomial(options: { readonly components: number; readonly columns: number }): Family {
  const { components: K, columns: d } = options
  const logs = new Float64Array(K * d)
  const isCount = (x: number): boolean => x >= 0 && x < Infinity

  const maximise = (statistics: Statistics, pseudo: number, previous: Float64Array): Float64Array => {
    const probabilities = previous.slice()
    estimateProbabilities(statistics.subarray(K), K, d, 0, d, pseudo, probabilities)
    return probabilities
  }

  /** Σ_O p of component k for row n. */
  const observedShare = (probabilities: Float64Array, block: Block, n: number, k: number): number => {
    let share = 0
    for (let j = 0; j < d; j++) if (isCount(block.values[n * d + j]!)) share += probabilities[k * d + j]!
    return share
  }

  return {
    name: 'multinomial',
    components: K,
    columns: d,
    statisticsLength: K + K * d,

    initial(block, weights) {
      const statistics = new Float64Array(K + K * d)
      for (let n = 0; n < block.rows; n++)
        for (let j = 0; j < d; j++) {
          const x = block.values[n * d + j]!
          if (!isCount(x)) continue
          for (let k = 0; k < K; k++) statistics[K + k * d + j]! += (weights?.[n] ?? 1) * x
        }
      return { probabilities: maximise(statistics, 0, new Float64Array(K * d).fill(1 / d)) }
    },

    observe(into, block, responsibilities, parameters) {
      const probabilities = parameters.probabilities!
      for (let n = 0; n < block.rows; n++) {
        let total = 0
        let observed = 0
        for (let j = 0; j < d; j++) {
          const x = block.values[n * d + j]!
          if (!isCount(x)) continue
          observed++
          total += x
        }
        for (let k = 0; k < K; k++) {
          const r = responsibilities[n * K + k]!
          into[k]! += r
          if (observed === 0) continue
          const share = observed < d ? observedShare(probabilities, block, n, k) : 1
          for (let j = 0; j < d; j++) {
            const x = block.values[n * d + j]!
            into[K + k * d + j]! += r * (isCount(x) ? x : (total * probabilities[k * d + j]!) / share)
          }
        }
      }
    },

    maximise: (statistics, prior, previous) => ({
      probabilities: maximise(statistics, prior.meanPseudoEvents, previous.probabilities!),
    }),

    logDensity(parameters, block, out) {
      const probabilities = parameters.probabilities!
      for (let i = 0; i < K * d; i++) logs[i] = Math.log(probabilities[i]!)
      for (let n = 0; n < block.rows; n++) {
        let total = 0
        let observed = 0
        let base = 0
        for (let j = 0; j < d; j++) {
          const x = block.values[n * d + j]!
          if (!isCount(x)) continue
          observed++
          total += x
          base -= logFactorial(x)
        }
        base += logFactorial(total)
        for (let k = 0; k < K; k++) {
          let value = observed === 0 ? 0 : base
          for (let j = 0; j < d; j++) {
            const x = block.values[n * d + j]!
            if (isCount(x) && x > 0) value += x * logs[k * d + j]!
          }
          if (observed > 0 && observed < d) value -= total * Math.log(observedShare(probabilities, block, n, k))
          out[n * K + k] = boundLogDensity(value)
        }
      }
    },

    /** Of a row whose total is 1. */
    moments: ({ probabilities }) =>
      columnwise(
        d,
        probabilities!,
        probabilities!.map(p => p * (1 - p)),
      ),
  }
}
