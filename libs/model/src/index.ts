export { classifierColumns, readClassifier, type StoredClassifier, writeClassifier } from './classifier-file.ts'
export { type FormChange, featureChanges, formChanges } from './form-changes.ts'
export { labelJson } from './label-json.ts'
export { type Learnable, learnable } from './learnable.ts'
export { extend, type Ledger, ledgerEntries, ledgerOf, nextOffset } from './ledger.ts'
export {
  ModelError,
  readJson,
  readModel,
  type StoredFeature,
  type StoredModel,
  storedJson,
  storedModelOf,
  writeModel,
} from './model-file.ts'
export { Drift, flooredSegments } from './model-health.ts'
export { retuned } from './retuned.ts'
export { describeSegments, type SegmentDescription } from './segments.ts'
export { identityOf, snapshotJson } from './snapshot-json.ts'
export { isCheckpoint, snapshotRecords } from './snapshot-records.ts'
export { followSnapshots, newestOfEachModel, newestSnapshot, type SnapshotSource } from './snapshots.ts'
export { storedSnapshots } from './stored-snapshots.ts'
export { valueJson } from './value-json.ts'
export { isComparable, withStoredTreatment } from './with-stored-treatment.ts'
