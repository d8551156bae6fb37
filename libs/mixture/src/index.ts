export {
  type BayesClassifier,
  classify,
  type DecisionOptions,
  type Decisions,
  type TrainOptions,
  trainClassifier,
} from './bayes-classifier.ts'
export { type Block, rowsOf } from './block.ts'
export { columnsOfType, createMixture, freeParameters, parametersOfType } from './create-mixture.ts'
export { bernoulli } from './discrete/bernoulli.ts'
export { type CategoricalOptions, categorical } from './discrete/categorical.ts'
export { multinomial } from './discrete/multinomial.ts'
export { poisson } from './discrete/poisson.ts'
export { batchEm } from './estimators/batch-em.ts'
export type { Estimator, Fit, IterationOptions, Start } from './estimators/estimator.ts'
export { hardEm, mostProbable } from './estimators/hard-em.ts'
export { type IncrementalOptions, incrementalEm } from './estimators/incremental-em.ts'
export { kMeans } from './estimators/k-means.ts'
export { type StepwiseOptions, startingState, stepwiseEm } from './estimators/stepwise-em.ts'
export { type VarianceReducedOptions, varianceReducedEm } from './estimators/variance-reduced-em.ts'
export { type Explanation, explain } from './explain.ts'
export type { ComponentRange, Family, Parameters, Statistics } from './family.ts'
export { blend, copyComponents, empty, merge, scale } from './family.ts'
export { type GaussianFamily, gaussian } from './gaussian/gaussian.ts'
export type { Covariance, GaussianOptions } from './gaussian/layout.ts'
export { fitHistogram, type Histogram, histogramLogDensity } from './histogram.ts'
export { initialParameters } from './initialisation.ts'
export { kMeansPlusPlus } from './k-means-plus-plus.ts'
export {
  demandsCompiledKernel,
  KERNEL_CHOICES,
  type KernelChoice,
  KernelError,
  type KernelInfo,
  type KernelOptions,
  kernelInfo,
  selectKernel,
} from './kernel/engine.ts'
export { type Expectation, type Mixture, mixture } from './mixture.ts'
export { type FitModelOptions, fitModel, type Model, type Scores, scoreModel } from './model.ts'
export { type ModelJson, modelFromJson, modelToJson } from './model-json.ts'
export { plsa, type Topics, type WordCount } from './plsa.ts'
export { type Prior, perUnitWeight } from './prior.ts'
export { type ProductFactor, product } from './product.ts'
export { permutation, type Random, random, standardNormal } from './random.ts'
export {
  type Candidate,
  type Criterion,
  type Selection,
  type SelectOptions,
  selectComponents,
} from './select-components.ts'
export {
  createSpecification,
  DEFAULT_PRIOR,
  type FeatureSpecification,
  type FeatureType,
  type Initialisation,
  type ModelSpecification,
  type SpecificationInput,
  type TransformName,
  type WarmUpSpecification,
} from './specification.ts'
export { cachedModel, type SpecifiedModel, specifiedModel } from './specified-model.ts'
export { type StartingJson, startingParameters } from './starting-parameters.ts'
export { halfLifeStepSize, polynomialStepSize, type StepSizeSpecification, stepSize } from './step-size.ts'
export { type StepwiseSettings, type StepwiseState, stepwiseBlend, stepwiseUpdate } from './stepwise-update.ts'
export { type StudentTOptions, studentT } from './student-t/student-t.ts'
export {
  applyTransform,
  estimateTransform,
  invertTransform,
  type TransformedBlock,
  type TransformParameters,
} from './transform.ts'
export { type WarmUp, warmUp } from './warm-up.ts'
