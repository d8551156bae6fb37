export { type Codec, schemaIdOf } from './codec.ts'
export { type DeadLetterRecord, deadLetterCodec, deadLetterFrom, deadLetterRecord } from './dead-letter.ts'
export { FeaturesReader, featureVectorCodec, writeFeatures, writeFeatureVector } from './feature-vector.ts'
export {
  type CloudEvent,
  cloudEventHeaders,
  cloudEventOf,
  type Headers,
  handedOnTrace,
  traceContext,
} from './headers.ts'
export { customerId, sourceOf } from './json-source.ts'
export { type LabelContext, LabelEncoder, labelCodec } from './label.ts'
export { largestMagnitude } from './largest-magnitude.ts'
export { lineageCodec } from './lineage.ts'
export { MessageError } from './message-error.ts'
export type * from './messages.ts'
export { addHashes, hashOffset, OffsetsHash } from './offsets-hash.ts'
export { RegistryError, type RegistryOptions, SchemaRegistry } from './schema-registry.ts'
export { type PublishedSchema, publishedSchemas } from './schemas.ts'
export { type Room, Slab } from './slab.ts'
export { snapshotCodec } from './snapshot.ts'
export { statisticsCodec } from './statistics.ts'
export { textFromUtf8, utf8 } from './text.ts'
export { writeLong } from './varint.ts'
