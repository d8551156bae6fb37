import {
  createMixture,
  type ModelSpecification,
  type Parameters,
  type Statistics,
  type StepwiseState,
  stepwiseBlend,
} from '@eddy/mixture'
import { type MStep, sharedParameters } from '@eddy/threads'

/** What a step makes. */
interface Memory {
  readonly statistics: Statistics
  readonly parameters: Parameters
}

/**
 * Stepwise EM after the E-step: blend and M-step. A step writes what it makes to memory that the step before last has left, so that
 * none becomes garbage, and in shared memory, where the threads of an M-step find it. The state that is learned from is never written to:
 * a step that fails leaves it as it was.
 */
export class Learner {
  readonly #text: string
  readonly #specification: ModelSpecification
  readonly #mStep: MStep
  #state: StepwiseState
  #spare: Memory
  #other: Memory

  /** @param specification its JSON text */
  constructor(specification: string, initial: StepwiseState, mStep: MStep) {
    this.#text = specification
    this.#specification = JSON.parse(specification) as ModelSpecification
    this.#mStep = mStep
    this.#state = initial
    const { statisticsLength } = createMixture(this.#specification)
    const memory = (): Memory => ({
      statistics: new Float64Array(new SharedArrayBuffer(8 * statisticsLength)),
      parameters: sharedParameters(initial.parameters),
    })
    this.#spare = memory()
    this.#other = memory()
  }

  /** Valid until the next `learn` but one: copy to keep. */
  get state(): StepwiseState {
    return this.#state
  }

  /**
   * Learns a batch; one at a time.
   * @param sum the batch's statistics
   * @param weight Σ of event weights
   * @param squaredWeight Σ of squared event weights; by default each event's is 1
   * @returns false, with the state as it was, for a batch without weight, or with a statistic that is not finite
   */
  async learn(sum: Statistics, weight: number, squaredWeight: number = weight): Promise<boolean> {
    const memory = this.#spare
    const blended = stepwiseBlend(this.#specification, this.#state, sum, weight, memory.statistics, squaredWeight)
    if (blended === undefined) return false
    const { prior, ...next } = blended
    const previous = { specification: this.#text, parameters: this.#state.parameters }
    const parameters = await this.#mStep(previous, next.statistics, prior, memory.parameters)
    this.#state = { ...next, parameters }
    this.#spare = this.#other
    this.#other = memory
    return true
  }
}
