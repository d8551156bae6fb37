import { bicAgainstCrossValidation } from './bic-against-cross-validation.ts'
import { factorAnalysis } from './factor-analysis.ts'
import { grades } from './grades.ts'
import { hardAndSoft } from './hard-and-soft.ts'
import { imageSegmentation } from './image-segmentation.ts'
import { kMeansAgainstEm } from './k-means-against-em.ts'
import type { Lesson } from './lesson.ts'
import { likelihoodRatio } from './likelihood-ratio.ts'
import { mleAgainstMap } from './mle-against-map.ts'
import { splitting } from './splitting.ts'
import { topics } from './topics.ts'
import { twoGaussians } from './two-gaussians.ts'
import { varianceFloor } from './variance-floor.ts'

/** Every script of the lecture, in its order. */
export const lessons: Readonly<Record<string, () => Lesson>> = {
  'two-gaussians': twoGaussians,
  'hard-and-soft': hardAndSoft,
  'k-means-against-em': kMeansAgainstEm,
  splitting,
  'variance-floor': varianceFloor,
  'bic-against-cross-validation': bicAgainstCrossValidation,
  grades,
  'mle-against-map': mleAgainstMap,
  'likelihood-ratio': likelihoodRatio,
  'image-segmentation': imageSegmentation,
  topics,
  'factor-analysis': factorAnalysis,
}
