import { DEFAULT_PRIOR, DEFAULTS, featureTypes, KERNEL_CHOICES, NUMBERS_FAMILIES } from '@eddy/mixture'
import { scopes, shortestToken } from '@eddy/runtime'
import { z } from 'zod'

const feature = z
  .strictObject({
    name: z.string().min(1).meta({ description: 'Key of the feature in an event.' }),
    type: z.enum(featureTypes).default('number'),
    transform: z.enum(['auto', 'none', 'log1p', 'yeo-johnson']).default('auto').meta({
      description:
        'Numbers only: applied before the feature is centred and scaled. auto decides on the warm-up how it enters the model: a very common value apart, rounded values as cells, and none, log, sqrt or (with min and max) logit by likelihood.',
    }),
    resolution: z
      .number()
      .positive()
      .optional()
      .meta({ description: 'Numbers only: what values were rounded to; auto finds it.' }),
    atom: z
      .number()
      .optional()
      .meta({ description: 'Numbers only: a value that is an answer of its own, such as 0 spent; auto finds it.' }),
    values: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .meta({ description: 'Categories, in the order of their codes.' }),
    min: z.number().optional(),
    max: z.number().optional(),
    exposure: z.string().min(1).optional().meta({
      description:
        'Counts only: the feature of type exposure that they were counted under, such as days observed; what is learned is a rate per unit of it.',
    }),
    required: z
      .boolean()
      .default(false)
      .meta({ description: 'Refuse events without it; otherwise it is a missing value.' }),
    unit: z.string().optional().meta({ description: 'Shown beside its values.' }),
  })
  .refine(({ type, values }) => (type === 'category') === (values !== undefined), {
    message: 'expected `values` for a category, and only there',
  })
  .refine(({ type, resolution, atom }) => type === 'number' || (resolution === undefined && atom === undefined), {
    message: 'expected `resolution` and `atom` for a number only',
  })

const topic = (name: string) =>
  z
    .string()
    .regex(/^[a-zA-Z0-9._-]{1,249}$/)
    .default(name)

const bearerToken = z
  .string()
  .min(shortestToken)
  .regex(/^\S*$/, { message: 'expected one token without spaces (for several there is http.tokensFile)' })

const kafka = z.strictObject({
  brokers: z.array(z.string().min(1)).min(1).optional(),
  clientId: z.string().default('eddy'),
  client: z
    .enum(['kafkajs', 'platformatic'])
    .default('kafkajs')
    .meta({ description: 'Client library; both pass one conformance suite.' }),
  sessionTimeoutMs: z
    .int()
    .min(1000)
    .default(30_000)
    .meta({ description: 'A process that is silent for so long loses its partitions to others.' }),
  compression: z.enum(['none', 'gzip', 'snappy', 'lz4', 'zstd']).default('none'),
  ssl: z
    .strictObject({
      enabled: z.boolean().default(false),
      ca: z.string().optional().meta({ description: 'PEM file of the certificate authority.' }),
      cert: z.string().optional(),
      key: z.string().optional(),
    })
    .prefault({}),
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).optional(),
      username: z.string().optional(),
      password: z.string().optional(),
    })
    .prefault({}),
})

const loopback = new Set(['127.0.0.1', '::1', 'localhost'])

/** Everything Eddy can be told, with its defaults. `flag > environment > file > default`. */
export const configurationSchema = z
  .strictObject({
    model: z
      .strictObject({
        name: z
          .string()
          .regex(/^[a-zA-Z0-9._-]{1,100}$/)
          .default('customers'),
        components: z.int().min(1).max(1024).default(6).meta({ description: 'Number of segments, K.' }),
        family: z.enum(NUMBERS_FAMILIES).default('gaussian').meta({
          description:
            'Family of the numbers; student-t is robust to outliers; auto chooses for each segment how heavy its tails are, up to gaussian.',
        }),
        degreesOfFreedom: z
          .number()
          .positive()
          .optional()
          .meta({ description: 'ν of student-t; estimated if absent.' }),
        covariance: z.enum(['full', 'tied', 'diag', 'spherical', 'factor']).default('full'),
        factors: z.int().min(1).optional().meta({ description: 'Rank of a factor covariance.' }),
        prior: z
          .strictObject({
            weightPseudoEvents: z.number().min(0).default(0),
            meanPseudoEvents: z.number().min(0).default(0),
            covariancePseudoEvents: z.number().min(0).default(0),
          })
          .prefault({})
          .meta({ description: 'Dirichlet and Normal-Inverse-Wishart prior, in pseudo-events.' }),
        seed: z.int().min(0).default(1),
        batchSize: z
          .int()
          .min(1)
          .max(65_536)
          .default(DEFAULTS.batchSize)
          .meta({ description: 'Events in a mini-batch.' }),
        threads: z.int().min(0).max(64).optional().meta({
          description:
            'Threads of the E-step, the M-step and scoring besides the main one, for batches that are worth it; 0 for none. While the main one has nothing else to do, it does the part of the first of them. If absent: 2 where batchSize · K · d² is at least 2^26 (K · d for diag and spherical), else 0.',
        }),
        kernel: z.enum(KERNEL_CHOICES).default('auto').meta({
          description:
            'What runs the E-step and scoring: webassembly where the machine has it, else typescript, which is some ten times slower. webassembly-f32 scores full covariances in f32 where that keeps posterior probabilities within 1e-4.',
        }),
        stepExponent: z.number().gt(0.5).max(1).default(DEFAULTS.stepSize.exponent).meta({
          description:
            'α of the step size (n + t0)^−α an event, with n the weight learned; 1 is the mean of all events.',
        }),
        stepOffset: z.number().min(0).default(DEFAULTS.stepSize.offset).meta({
          description: 't0 of the step size, in events: what the warm-up counts for beside its own events.',
        }),
        halfLife: z
          .number()
          .positive()
          .optional()
          .meta({ description: 'Events after which half is forgotten; without it the step size goes to zero.' }),
        varianceFloor: z
          .number()
          .positive()
          .max(1)
          .default(DEFAULT_PRIOR.varianceFloor)
          .meta({ description: 'Least variance, as a share of the overall variance of a feature.' }),
        warmUp: z
          .strictObject({
            events: z
              .int()
              .min(1)
              .max(1_000_000)
              .default(DEFAULTS.warmUp.events)
              .meta({ description: 'Events to begin with; until there are so many, labels are provisional.' }),
            initialisation: z.enum(['auto', 'kmeans++', 'random', 'split']).default(DEFAULTS.warmUp.initialisation),
            restarts: z.int().min(1).max(100).default(DEFAULTS.warmUp.restarts),
            iterations: z.int().min(1).max(1000).default(DEFAULTS.warmUp.iterations),
          })
          .prefault({}),
        foldsPerSnapshot: z.int().min(1).default(1),
        maxWaitMs: z
          .int()
          .min(0)
          .default(5000)
          .meta({ description: 'A mini-batch that is not full is learned when no event came for this long.' }),
      })
      .prefault({}),
    features: z.array(feature).optional(),
    log: z
      .strictObject({
        kind: z.enum(['embedded', 'kafka']).default('embedded'),
        directory: z.string().min(1).default('.eddy'),
        partitions: z.int().min(1).max(1000).default(1).meta({
          description: 'Of events, features, labels and dead letters: as many processes of a service share the work.',
        }),
        retentionHours: z.number().positive().default(168),
        maxBytes: z
          .int()
          .min(4_194_304)
          .optional()
          .meta({ description: 'Most bytes of the embedded log: beyond it new events are refused (503).' }),
        compression: z
          .enum(['zstd', 'none'])
          .default('zstd')
          .meta({ description: 'Of the embedded log, as it grows.' }),
        onGap: z.enum(['fail', 'skip']).default('fail').meta({
          description:
            'Where records that a stage was to read next are gone: end with an error that names them, or go on after them (what the model missed is in its ledger).',
        }),
        maxEventBytes: z.int().min(1024).default(1_048_576),
        maxRecordBytes: z
          .int()
          .min(10_000)
          .default(900_000)
          .meta({ description: "Larger snapshots are split; below the broker's message.max.bytes." }),
      })
      .prefault({}),
    topics: z
      .strictObject({
        events: topic('eddy.events.v1'),
        features: topic('eddy.features.v1'),
        statistics: topic('eddy.statistics.v1'),
        snapshots: topic('eddy.snapshots.v1'),
        lineage: topic('eddy.lineage.v1'),
        labels: topic('eddy.labels.v1'),
        deadLetters: topic('eddy.dead-letters.v1'),
      })
      .prefault({}),
    http: z
      .strictObject({
        host: z.string().default('127.0.0.1'),
        port: z.int().min(0).max(65_535).default(7700),
        token: bearerToken.optional().meta({
          description:
            'Bearer token with every scope; this, tokensFile or clientCa is required unless bound to a loopback address.',
        }),
        metricsToken: bearerToken
          .optional()
          .meta({ description: 'Bearer token for /metrics alone, as for Prometheus.' }),
        tokensFile: z.string().optional().meta({
          description:
            'File of tokens, mode 0600, a line each: NAME SCOPES TOKEN, with some of produce,read,operate or - as scopes. Read again on SIGHUP.',
        }),
        tls: z
          .strictObject({
            cert: z.string().optional().meta({ description: 'PEM file of the certificate; with it, HTTPS.' }),
            key: z.string().optional().meta({ description: 'PEM file of its private key.' }),
            clientCa: z.string().optional().meta({
              description:
                'PEM file of the authority of client certificates; with it, everything but probes needs one.',
            }),
            clients: z
              .array(z.strictObject({ name: z.string().min(1), scopes: z.array(z.enum(scopes)) }))
              .refine(clients => new Set(clients.map(({ name }) => name)).size === clients.length, {
                message: 'expected each name once',
              })
              .optional()
              .meta({
                description:
                  'Scopes of client certificates by their common name or an alternative name; if absent, each may do everything.',
              }),
          })
          .refine(({ clients, clientCa }) => clients === undefined || clientCa !== undefined, {
            message: 'expected clients only beside clientCa',
          })
          .refine(
            ({ cert, key, clientCa }) =>
              (cert === undefined) === (key === undefined) && (clientCa === undefined || cert !== undefined),
            {
              message: 'expected cert and key together, and clientCa only beside them',
            },
          )
          .prefault({}),
        maxBodyBytes: z
          .int()
          .min(1024)
          .default(16_777_216)
          .meta({ description: 'A larger body, as sent or decoded, is answered 413.' }),
        maxBodiesBytes: z.int().min(4096).default(134_217_728).meta({
          description: 'Memory of all bodies that are read or worked on; beyond it requests are answered 503.',
        }),
        bodyTimeoutMs: z
          .int()
          .min(100)
          .default(30_000)
          .meta({ description: 'A body that has not ended after this long is answered 408.' }),
        maxConnections: z.int().min(1).default(2048),
        maxStreams: z.int().min(1).default(1000),
        maxEventsPerRequest: z
          .int()
          .min(1)
          .default(200_000)
          .meta({ description: 'Requests with more events are answered 413, before they are cut apart.' }),
        idempotencyHours: z.number().positive().max(720).default(24).meta({
          description:
            'How long the Idempotency-Key of a request is remembered: sent again within it, it is stored once.',
        }),
        maxBacklogEvents: z
          .int()
          .min(1)
          .default(2_000_000)
          .meta({ description: 'Events waiting to be ingested beyond which more are answered 429.' }),
      })
      .prefault({}),
    customers: z
      .strictObject({
        hmacKeyFile: z.string().optional().meta({
          description:
            'File with a key (at least 32 bytes): customer ids become HMAC-SHA256 of it before they are stored.',
        }),
      })
      .prefault({}),
    kafka: kafka.prefault({}),
    registry: z
      .strictObject({
        url: z
          .url({ protocol: /^https?$/ })
          .refine(url => !/\/\/[^/]*@/.test(url), {
            message: 'expected no credentials in it (use registry.username and registry.password)',
          })
          .optional()
          .meta({ description: 'Schema registry (Confluent API); without it the built-in ids are used.' }),
        username: z.string().optional(),
        password: z.string().optional(),
        register: z
          .boolean()
          .default(true)
          .meta({ description: 'Register missing schemas at the start; otherwise they must be there.' }),
        timeoutMs: z.int().min(100).default(10_000),
      })
      .prefault({}),
    logging: z
      .strictObject({ level: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info') })
      .prefault({}),
  })
  .refine(
    ({ http: { host, token, tokensFile, tls } }) =>
      loopback.has(host) || (token ?? tokensFile ?? tls.clientCa) !== undefined,
    {
      path: ['http', 'token'],
      message:
        'expected a token because http.host is not a loopback address (set EDDY_HTTP_TOKEN or EDDY_HTTP_TOKEN_FILE, EDDY_HTTP_TOKENS_FILE for several, or http.tls.clientCa for client certificates)',
    },
  )
  .refine(
    ({ http: { metricsToken, token, tokensFile } }) =>
      metricsToken === undefined || (metricsToken !== token && (token ?? tokensFile) !== undefined),
    {
      path: ['http', 'metricsToken'],
      message: 'expected another token beside http.token or http.tokensFile, since it is for /metrics alone',
    },
  )
  .refine(
    ({ features }) => features === undefined || new Set(features.map(({ name }) => name)).size === features.length,
    {
      path: ['features'],
      message: 'expected each name once',
    },
  )
  .refine(({ http }) => http.maxBodiesBytes >= 2 * http.maxBodyBytes, {
    path: ['http', 'maxBodiesBytes'],
    message: 'expected at least twice http.maxBodyBytes',
  })
  .refine(({ log, kafka: { brokers } }) => log.kind === 'embedded' || brokers !== undefined, {
    path: ['kafka', 'brokers'],
    message: 'expected at least one broker with log.kind: kafka (set KAFKA_BROKERS)',
  })

export type Configuration = z.output<typeof configurationSchema>
export type Feature = NonNullable<Configuration['features']>[number]
