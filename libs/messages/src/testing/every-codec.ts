import type fc from 'fast-check'
import type { Codec } from '../codec.ts'
import { deadLetterCodec } from '../dead-letter.ts'
import { avroFeatureVectorCodec, featureVectorCodec } from '../feature-vector.ts'
import { labelCodec } from '../label.ts'
import { lineageCodec } from '../lineage.ts'
import { snapshotCodec } from '../snapshot.ts'
import { statisticsCodec } from '../statistics.ts'
import * as any from './arbitraries.ts'

const pair = <T>(name: string, codec: Codec<T>, values: fc.Arbitrary<T>) => ({
  name,
  codec: codec as Codec<unknown>,
  values: values as fc.Arbitrary<unknown>,
})

export const everyCodec = [
  pair('feature vector', featureVectorCodec, any.featureVector),
  pair('feature vector through avsc', avroFeatureVectorCodec, any.featureVector),
  pair('statistics', statisticsCodec, any.statistics),
  pair('snapshot', snapshotCodec, any.snapshot),
  pair('label', labelCodec, any.label),
  pair('lineage', lineageCodec, any.lineage),
  pair('dead letter', deadLetterCodec, any.deadLetter),
]
