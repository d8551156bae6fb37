import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { CountedHistogram } from './counted-histogram.ts'

const latency = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/**
 * Every metric of Eddy, in one place. Labels are enumerations of bounded size (stage, partition, reason, model, segment),
 * never a customer, so that the number of series does not grow with the number of customers.
 */
export function createMetrics(registry: Registry = new Registry()) {
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const onRead: (() => void)[] = []
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers })
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers })
  const histogram = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Histogram({ name, help, labelNames, registers, buckets: latency })
  return {
    registry,
    /** Called before the metrics are read, to set what costs too much to be kept up to date: `flooredSegments`. */
    onRead,
    buildInfo: gauge('eddy_build_info', 'Constant 1, labelled with the version and the runtime.', 'version', 'node'),
    ready: gauge('eddy_ready', '1 while the process is ready for traffic.'),
    records: counter(
      'eddy_records_processed_total',
      'Records a stage has finished: consumed, with everything that follows from them durable.',
      'stage',
      'partition',
    ),
    lag: gauge(
      'eddy_consumer_lag_records',
      'Records between the position of a stage and the end of a partition it holds, sampled every second.',
      'stage',
      'partition',
    ),
    lastProgress: gauge(
      'eddy_last_progress_timestamp_seconds',
      'Unix time at which a stage last made progress in a partition.',
      'stage',
      'partition',
    ),
    deadLetters: counter('eddy_dead_letters_total', 'Events refused and quarantined.', 'reason'),
    missingFeatures: counter(
      'eddy_feature_missing_total',
      'Accepted events that lack a value for a feature, by configured feature.',
      'feature',
    ),
    unknownKeys: counter(
      'eddy_unknown_keys_total',
      'Keys of JSON events, where features are expected, that are not configured, misspelt ones included.',
    ),
    httpRequests: histogram(
      'eddy_http_request_seconds',
      'Time to answer an HTTP request, by route and status; a stream counts until it ends.',
      'route',
      'status',
    ),
    httpBodyBytes: gauge('eddy_http_body_bytes', 'Memory of the request bodies that are read or worked on.'),
    httpStreams: gauge('eddy_http_streams', 'Label streams that are open.'),
    freeBytes: gauge('eddy_log_free_bytes', 'Free space on the file system that holds the embedded log.'),
    logBytes: gauge('eddy_log_bytes', 'Size of the embedded log, free pages included, without its write-ahead log.'),
    walBytes: gauge('eddy_log_wal_bytes', 'Size of the write-ahead log of the embedded log.'),
    roomBytes: gauge(
      'eddy_log_room_bytes',
      'Bytes that the embedded log can still take: of the disk or of log.maxBytes, and its free pages.',
    ),
    commitSeconds: histogram(
      'eddy_log_commit_seconds',
      'Duration of a commit of the embedded log, its fsync included.',
    ),
    droppedRecords: counter('eddy_log_dropped_records_total', 'Offsets that retention has dropped.', 'topic'),
    droppedBytes: counter('eddy_log_dropped_bytes_total', 'Bytes of records that retention has dropped.', 'topic'),
    capacityBytes: gauge('eddy_log_capacity_bytes', 'Size of the file system that holds the embedded log.'),
    skippedRecords: counter(
      'eddy_records_skipped_total',
      'Offsets that a stage has passed over, since they were gone before it could read them.',
      'stage',
    ),
    httpEvents: counter('eddy_http_events_total', 'Events posted over HTTP, by outcome.', 'outcome'),
    labelLatency: new CountedHistogram(
      'eddy_event_to_label_seconds',
      'Time from appending an event to its durable label.',
      latency,
      registers,
    ),
    batchSeconds: histogram(
      'eddy_batch_seconds',
      'Time from handing out a delivery until everything that follows from it is durable.',
      'stage',
    ),
    eStepSeconds: histogram('eddy_e_step_seconds', 'Duration of the E-step of one mini-batch.'),
    mStepSeconds: histogram('eddy_m_step_seconds', 'Duration of one M-step.'),
    foldsAccepted: counter('eddy_statistics_folded_total', 'Statistics messages folded into the model.', 'model'),
    foldsRefused: counter(
      'eddy_statistics_refused_total',
      'Statistics messages refused because they do not begin where the ledger ends, or are malformed.',
      'model',
      'reason',
    ),
    learnedEvents: gauge('eddy_model_learned_events', 'Events in the ledger of the newest snapshot.', 'model'),
    snapshotVersion: gauge('eddy_model_snapshot_version', 'Version of the newest snapshot.', 'model'),
    snapshotTimestamp: gauge(
      'eddy_model_snapshot_timestamp_seconds',
      'Unix time at which the newest snapshot was made; its age is time() minus this.',
      'model',
    ),
    snapshotBytes: gauge('eddy_model_snapshot_bytes', 'Encoded size of the newest snapshot.', 'model'),
    logLikelihood: gauge(
      'eddy_model_prequential_log_likelihood_nats',
      'Decayed mean log-likelihood of events, taken before they were learned, in nats per event.',
      'model',
    ),
    effectiveSampleSize: gauge(
      'eddy_model_effective_sample_size_events',
      'Effective number of events the model remembers.',
      'model',
    ),
    stepSize: gauge('eddy_model_step_size_ratio', 'Step size of the last stepwise update, 0 to 1.', 'model'),
    step: gauge('eddy_model_step', 'Number of stepwise updates.', 'model'),
    segmentWeight: gauge('eddy_segment_weight_ratio', 'Mixing weight of a segment, 0 to 1.', 'model', 'segment'),
    segmentDrift: gauge(
      'eddy_segment_drift_sigma',
      'Distance of a segment from its own centre smoothed over about 100 updates, in its standard deviations.',
      'model',
      'segment',
    ),
    flooredSegments: new Gauge({
      name: 'eddy_model_floored_segments',
      help: 'Segments of the newest snapshot whose variance is held at its floor in some direction.',
      labelNames: ['model'],
      registers,
      collect: () => {
        for (const update of onRead) update()
      },
    }),
    lineage: counter(
      'eddy_lineage_events_total',
      'Births, deaths, splits, merges and drifts of segments since this process started.',
      'model',
      'kind',
    ),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
