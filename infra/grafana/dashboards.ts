import { createDashboard, type PanelOptions } from './dashboard.ts'

const throughput: PanelOptions = {
  title: 'Records finished',
  description: 'Records each stage has finished a second: consumed, and everything they led to durable.',
  unit: 'cps',
  queries: {
    '{{stage}} {{instance}}':
      'sum by (instance, stage) (rate(eddy_records_processed_total{$selector}[$__rate_interval]))',
  },
}
const lag: PanelOptions = {
  title: 'Lag',
  description: 'Records between the position of a stage and the end of its input. Alerts above 50,000 for ten minutes.',
  unit: 'short',
  queries: { '{{stage}} {{instance}}': 'sum by (instance, stage) (eddy_consumer_lag_records{$selector})' },
}
const latency: PanelOptions = {
  title: 'Event to label',
  description: 'Time from appending an event to its durable label.',
  unit: 's',
  queries: Object.fromEntries(
    [0.5, 0.95, 0.99].map(q => [
      `p${100 * q} {{instance}}`,
      `histogram_quantile(${q}, sum by (instance, le) (rate(eddy_event_to_label_seconds_bucket{$selector}[$__rate_interval])))`,
    ]),
  ),
}
const deadLetters: PanelOptions = {
  title: 'Dead letters',
  description:
    'Events refused a second, by reason. They are kept with their bytes and are neither labelled nor learned.',
  unit: 'cps',
  queries: { '{{reason}}': 'sum by (reason) (rate(eddy_dead_letters_total{$selector}[$__rate_interval]))' },
}
const likelihood: PanelOptions = {
  title: 'Prequential log-likelihood',
  description:
    'How well the model predicts events before it learns them, nats an event (higher is better), and the average of the last hour.',
  unit: 'none',
  queries: {
    '{{model}}': 'eddy_model_prequential_log_likelihood_nats{$selector}',
    '{{model}}, last hour': 'model:eddy_model_prequential_log_likelihood_nats:avg1h{$selector}',
  },
}
const weights: PanelOptions = {
  title: 'Segment weights',
  description: 'Share of events each segment explains.',
  unit: 'percentunit',
  queries: { '{{model}} {{segment}}': 'eddy_segment_weight_ratio{$selector}' },
}
const drift: PanelOptions = {
  title: 'Drift',
  description:
    "Distance of each segment's centre from its smoothed past, in its own standard deviations. Alerts above 1.",
  unit: 'none',
  queries: { '{{model}} {{segment}}': 'eddy_segment_drift_sigma{$selector}' },
}
const quantiles = (metric: string, by: string, legend: string): Record<string, string> =>
  Object.fromEntries(
    [0.5, 0.99].map(q => [
      `p${100 * q} ${legend}`,
      `histogram_quantile(${q}, sum by (${by}le) (rate(${metric}_bucket{$selector}[$__rate_interval])))`,
    ]),
  )

/** Grafana dashboards by file name. */
export const dashboards = {
  overview: createDashboard(
    'eddy-overview',
    'Eddy / Overview',
    'Is it well? One row of numbers, then the four curves that matter.',
    {
      Now: [
        {
          title: 'Ready',
          description: 'Instances ready for traffic.',
          unit: 'short',
          kind: 'stat',
          queries: { ready: 'sum(eddy_ready{$selector})' },
        },
        {
          title: 'Events a second',
          description: 'Events taken in.',
          unit: 'cps',
          kind: 'stat',
          queries: {
            events: 'sum(rate(eddy_records_processed_total{$selector, stage="ingest"}[$__rate_interval]))',
          },
        },
        {
          title: 'Behind',
          description: 'Largest lag of any stage, records.',
          unit: 'short',
          kind: 'stat',
          queries: { lag: 'max(stage:eddy_consumer_lag_records:sum{$selector})' },
        },
        {
          title: 'Age of the model',
          description: 'Time since the newest snapshot. Grows on a quiet stream, which is right.',
          unit: 's',
          kind: 'stat',
          queries: { '{{model}}': 'max by (model) (model:eddy_model_snapshot_age_seconds:max{$selector})' },
        },
      ],
      Flow: [throughput, lag, latency, deadLetters],
      Model: [likelihood, weights],
    },
  ),
  pipeline: createDashboard('eddy-pipeline', 'Eddy / Pipeline', 'Stages, partitions, times, HTTP and the process.', {
    Stages: [
      throughput,
      lag,
      {
        title: 'Time of a delivery',
        description: 'From handing out a delivery until everything that follows from it is durable, by stage.',
        unit: 's',
        queries: quantiles('eddy_batch_seconds', 'stage, ', '{{stage}}'),
      },
      {
        title: 'Since a partition moved',
        description: 'Time since a stage last finished a record of a partition. Matters only where there is lag.',
        unit: 's',
        queries: {
          '{{stage}}/{{partition}}': 'time() - eddy_last_progress_timestamp_seconds{$selector}',
        },
      },
      latency,
      deadLetters,
    ],
    HTTP: [
      {
        title: 'Events over HTTP',
        description: 'Events posted a second, by what became of them.',
        unit: 'cps',
        queries: { '{{outcome}}': 'sum by (outcome) (rate(eddy_http_events_total{$selector}[$__rate_interval]))' },
      },
      {
        title: 'Time to answer',
        description: '99th percentile by route.',
        unit: 's',
        queries: {
          '{{route}}':
            'histogram_quantile(0.99, sum by (route, le) (rate(eddy_http_request_seconds_bucket{$selector}[$__rate_interval])))',
        },
      },
      {
        title: 'Open label streams',
        description: 'Readers of GET /v1/labels that are connected.',
        unit: 'short',
        queries: { '{{instance}}': 'eddy_http_streams{$selector}' },
      },
      {
        title: 'Room under the log',
        description: 'Share of the file system of the embedded log that is free. Alerts below a tenth.',
        unit: 'percentunit',
        queries: { '{{instance}}': 'instance:eddy_log_free_bytes:ratio{$selector}' },
      },
    ],
    Log: [
      {
        title: 'Size of the log',
        description:
          'Of the embedded log, free pages included, and of its write-ahead log, which is emptied now and then.',
        unit: 'bytes',
        queries: {
          'log {{instance}}': 'eddy_log_bytes{$selector}',
          'write-ahead log {{instance}}': 'eddy_log_wal_bytes{$selector}',
        },
      },
      {
        title: 'Time until the log is full',
        description: 'Room over the pace at which it shrank in the last hour. Alerts below twelve hours.',
        unit: 's',
        queries: { '{{instance}}': 'instance:eddy_log_full_seconds:estimate1h{$selector}' },
      },
      {
        title: 'Time of a commit',
        description:
          'Of the embedded log, its fsync included. Every event and label waits for one. Alerts above a second.',
        unit: 's',
        queries: quantiles('eddy_log_commit_seconds', 'instance, ', '{{instance}}'),
      },
      {
        title: 'Dropped by retention',
        description:
          'Bytes of records a second that were older than the retention. What a stage has yet to read is kept.',
        unit: 'Bps',
        queries: { '{{topic}}': 'sum by (topic) (rate(eddy_log_dropped_bytes_total{$selector}[$__rate_interval]))' },
      },
    ],
    Process: [
      {
        title: 'CPU',
        description: 'Processor time used a second; 1 is one core.',
        unit: 'short',
        queries: { '{{instance}}': 'rate(process_cpu_seconds_total{$selector}[$__rate_interval])' },
      },
      {
        title: 'Memory',
        description: 'Resident memory and JavaScript heap in use.',
        unit: 'bytes',
        queries: {
          'resident {{instance}}': 'process_resident_memory_bytes{$selector}',
          'heap {{instance}}': 'nodejs_heap_size_used_bytes{$selector}',
        },
      },
      {
        title: 'Event-loop delay',
        description: 'How late timers run, 99th percentile: what a heavy computation costs everything else.',
        unit: 's',
        queries: { '{{instance}}': 'nodejs_eventloop_lag_p99_seconds{$selector}' },
      },
      {
        title: 'Open files',
        description: 'File descriptors in use, connections included.',
        unit: 'short',
        queries: { '{{instance}}': 'process_open_fds{$selector}' },
      },
    ],
  }),
  'model-health': createDashboard(
    'eddy-model-health',
    'Eddy / Model health',
    'Does the model still describe what comes in?',
    {
      Fit: [
        likelihood,
        {
          title: 'Effective sample size',
          description: 'Decayed number of events the model remembers.',
          unit: 'short',
          queries: { '{{model}}': 'eddy_model_effective_sample_size_events{$selector}' },
        },
        {
          title: 'Step size',
          description: 'Weight of the newest mini-batch in the model.',
          unit: 'percentunit',
          queries: { '{{model}}': 'eddy_model_step_size_ratio{$selector}' },
        },
        {
          title: 'Segments at the variance floor',
          description: 'Segments that have shrunk onto nearly one value. Alerts when any stays there.',
          unit: 'short',
          queries: { '{{model}}': 'eddy_model_floored_segments{$selector}' },
        },
      ],
      Learning: [
        {
          title: 'E-step and M-step',
          description: 'Time of the two halves of a stepwise update.',
          unit: 's',
          queries: {
            ...quantiles('eddy_e_step_seconds', '', 'E-step'),
            ...quantiles('eddy_m_step_seconds', '', 'M-step'),
          },
        },
        {
          title: 'Updates',
          description: 'Statistics folded into the model a second, and those refused.',
          unit: 'cps',
          queries: {
            folded: 'sum(rate(eddy_statistics_folded_total{$selector}[$__rate_interval]))',
            refused: 'sum(rate(eddy_statistics_refused_total{$selector}[$__rate_interval])) or vector(0)',
          },
        },
        {
          title: 'Age of the model',
          description: 'Time since the newest snapshot.',
          unit: 's',
          queries: { '{{model}}': 'model:eddy_model_snapshot_age_seconds:max{$selector}' },
        },
        {
          title: 'Size of a snapshot',
          description: 'Encoded size of the newest snapshot.',
          unit: 'bytes',
          queries: { '{{model}}': 'eddy_model_snapshot_bytes{$selector}' },
        },
      ],
    },
  ),
  segments: createDashboard('eddy-segments', 'Eddy / Segments', 'What becomes of each segment.', {
    Segments: [
      weights,
      drift,
      {
        title: 'What happened to segments',
        description: 'Births, deaths, splits, merges and drifts in the last hour.',
        unit: 'short',
        queries: { '{{model}} {{kind}}': 'sum by (model, kind) (increase(eddy_lineage_events_total{$selector}[1h]))' },
      },
      {
        title: 'Events learned',
        description: 'Events in the ledger of the newest snapshot.',
        unit: 'short',
        queries: { '{{model}}': 'eddy_model_learned_events{$selector}' },
      },
    ],
  }),
}
