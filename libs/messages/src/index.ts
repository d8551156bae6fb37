export { type Codec, schemaIdOf } from './codec.ts'
export { deadLetterCodec, deadLetterFrom, deadLetterRecord } from './dead-letter.ts'
export { FeaturesReader, featureVectorCodec, writeFeatures, writeFeatureVector } from './feature-vector.ts'
export { handedOnTrace } from './headers.ts'
export { customerId, sourceOf } from './json-source.ts'
export { LabelEncoder, labelCodec } from './label.ts'
export { largestMagnitude } from './largest-magnitude.ts'
export { lineageCodec } from './lineage.ts'

export type * from './messages.ts'
export { hashOffset, OffsetsHash } from './offsets-hash.ts'
export { RegistryError, SchemaRegistry } from './schema-registry.ts'
export { type PublishedSchema, publishedSchemas } from './schemas.ts'

export { snapshotCodec } from './snapshot.ts'
export { statisticsCodec } from './statistics.ts'

export { writeLong } from './varint.ts'
