import type { Kernel, Model, ModelSpecification } from '@eddy/mixture'
import type { WhenQuiet } from '@eddy/runtime'
import type { Configuration } from '@eddy/settings'
import type { EStep, MStep } from '@eddy/threads'
import type { Observable } from 'rxjs'
import type { InputEnd } from './e-step-worker.ts'

export interface LearningOptions {
  readonly configuration: Configuration
  readonly specification: ModelSpecification
  readonly eStep: EStep
  readonly mStep: MStep
  /** a model to begin with, of the specification's form, where none is stored */
  readonly initial?: Pick<Model, 'specification' | 'parameters'> | undefined
  /** what a warm-up is done by */
  readonly kernel?: Kernel | undefined
}

/** What a process that knows its whole input tells those who learn. */
export interface LearningHooks {
  /** where the input ends for now, if somebody knows */
  readonly ends?: Observable<InputEnd>
  /** default: what has arrived is all, for now */
  readonly whenQuiet?: WhenQuiet<InputEnd>
}
