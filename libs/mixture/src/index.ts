export {
  type ClassDensity,
  type Costs,
  costKey,
  costOf,
  type Decision,
  decide,
  modelDensity,
} from './decide/bayes-classifier.ts'
export { copiesOf } from './decide/copies.ts'
export { type Degeneracy, degeneracies, distinctRows } from './decide/degeneracies.ts'
export type { Density } from './decide/density.ts'
export { type Explanation, explainer } from './decide/explain.ts'
export { histogramDensity, scottBins } from './decide/histogram.ts'
export { plsa, type Topics, type WordCount } from './decide/plsa.ts'
export {
  type Candidate,
  type Criterion,
  criteria,
  type Selection,
  type SelectionOptions,
  selectComponents,
} from './decide/select-components.ts'
export { type LabelledEvents, sharedCovariance } from './decide/shared-covariance.ts'
export { DEFAULTS } from './em/defaults.ts'
export { batchEm } from './em/estimators/batch-em.ts'
export type { Estimator, Fit, IterationOptions, Learned, Start } from './em/estimators/estimator.ts'
export { hardEm } from './em/estimators/hard-em.ts'
export { type IncrementalOptions, incrementalEm } from './em/estimators/incremental-em.ts'
export { kMeans } from './em/estimators/k-means.ts'
export { type StepwiseOptions, startingState, stepwiseEm } from './em/estimators/stepwise-em.ts'
export { type VarianceReducedOptions, varianceReducedEm } from './em/estimators/variance-reduced-em.ts'
export { type Expectation, type Mixture, mixture } from './em/mixture.ts'
export { type SampleSize, sampleSize, squaredSum } from './em/sample-size.ts'
export { type StepSizeSpecification, stepSize } from './em/step-size.ts'
export { type StepwiseSettings, type StepwiseState, stepwiseBlend, stepwiseUpdate } from './em/stepwise-update.ts'
export { type Block, rowsOf } from './families/block.ts'
export { negativeBinomial } from './families/counts/negative-binomial.ts'
export { zeroInflated } from './families/counts/zero-inflated.ts'
export { bernoulli } from './families/discrete/bernoulli.ts'
export { type CategoricalOptions, categorical } from './families/discrete/categorical.ts'
export { multinomial } from './families/discrete/multinomial.ts'
export { poisson } from './families/discrete/poisson.ts'
export { exponential } from './families/exponential/exponential.ts'
export type { ComponentRange, Family, Moments, Parameters, Statistics } from './families/family.ts'
export { copyComponents, empty, merge, scale } from './families/family.ts'
export { type GaussianFamily, gaussian } from './families/gaussian/gaussian.ts'
export type { Covariance, GaussianOptions } from './families/gaussian/layout.ts'
export { type Prior, perUnitWeight } from './families/prior.ts'
export { type ProductFactor, product } from './families/product.ts'
export { type StudentTOptions, studentT } from './families/student-t/student-t.ts'
export { takeRows } from './families/take-rows.ts'
export { type FitModelOptions, fitModel } from './fit-model.ts'
export {
  demandsCompiledKernel,
  KERNEL_CHOICES,
  type KernelChoice,
  KernelError,
  type KernelInfo,
  kernelInfo,
} from './kernel/engine.ts'
export { createKernel, type Kernel, type KernelOptions } from './kernel/kernel.ts'
export {
  componentFamily,
  createMixture,
  freeParameters,
} from './model/create-mixture.ts'
export {
  describeType,
  FEATURE_TYPES,
  type FeatureType,
  type FeatureTypeDescription,
  featureTypes,
} from './model/feature-types.ts'
export { type Model, type Scores, scoreModel } from './model/model.ts'
export { columnsByFeature, type ModelColumns, modelColumns } from './model/model-columns.ts'
export { type ModelJson, modelFromJson, modelToJson } from './model/model-json.ts'
export { segmentMeans } from './model/segment-means.ts'
export {
  createSpecification,
  DEFAULT_PRIOR,
  type FeatureSpecification,
  type Initialisation,
  type ModelSpecification,
  NUMBERS_FAMILIES,
  type NumbersFamily,
  type SpecificationInput,
  type WarmUpSpecification,
} from './model/specification.ts'
export { cachedModel, type SpecifiedModel, specifiedModel } from './model/specified-model.ts'
export {
  applyTransform,
  estimateTransform,
} from './model/transform.ts'
export { treated } from './model/treated.ts'
export { hasMomentsOnly, modelFromMoments } from './model-from-moments.ts'
export { indexOfLargest } from './numerics/index-of-largest.ts'
export { permutation, type Random, random, standardNormal } from './numerics/random.ts'
export { bestStart } from './start/best-start.ts'
export { kMeansStart } from './start/k-means-start.ts'
export { type Matching, matchComponents } from './start/match-components.ts'
export { type Judgement, type LearnedAnew, learnAnew, type Mean, relearn } from './start/relearn.ts'
export type { SearchOptions } from './start/search.ts'
export { soundSample } from './start/sound-sample.ts'
export { type StartingJson, startingParameters } from './start/starting-parameters.ts'
export { isDue, leastExpected, REVISION_SAMPLE, type Surprise, surprisedBy } from './start/surprise.ts'
export { type WarmUp, warmUp } from './start/warm-up.ts'
export { warmUpOfModel } from './start/warm-up-of-model.ts'
export { type BendName, type TransformName, type Treatment, treatmentOf } from './treatment/treatment.ts'
export { endedAtBound } from './treatment/yeo-johnson.ts'
