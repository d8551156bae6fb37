import { readFileSync } from 'node:fs'

interface Selected {
  readonly events: number[][]
  readonly candidates: readonly {
    components: number
    crossValidation: number
    behind: number
    behindError: number
    bic: number
    aic: number
  }[]
}

/** What test/reference/decide.py worked out with numpy and scikit-learn. */
export const knownAnswers = JSON.parse(
  readFileSync(new URL('../../../test/reference/fixtures/decide.json', import.meta.url), 'utf8'),
) as {
  readonly explanations: {
    readonly weights: number[]
    readonly means: number[][]
    readonly covariances: number[][][]
    readonly cases: readonly {
      event: (number | null)[]
      component: number
      runnerUp: number
      logOdds: number
      prior: number
      posterior: number[]
      contributions: number[]
    }[]
  }
  readonly twoComponents: Selected
  readonly oneComponent: Selected
  readonly histogram: { values: number[]; everything: number[]; bins: number; at: number[]; logDensity: number[] }
}
