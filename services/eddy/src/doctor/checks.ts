import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { openEmbeddedLog } from '@eddy/log-embedded'
import { publishedSchemas } from '@eddy/messages'
import { demandsCompiledKernel, kernelInfo } from '@eddy/mixture'
import { type Configuration, customerIds, type Role } from '@eddy/settings'
import { brokerVerdict } from './broker-verdict.ts'
import { registryVerdict } from './registry-verdict.ts'
import { rightsVerdict } from './rights-verdict.ts'
import { failure, ok, type Verdict, warning } from './verdict.ts'

/** What a check found. */
export interface Finding extends Verdict {
  readonly check: string
}

/** A clock before this is wrong: the year this was written. */
const plausible = Date.UTC(2026, 0, 1)
const leastFreeShare = 0.1
const leastFreeBytes = 1 << 30

/** In the order in which they are shown. */
const checks: Readonly<Record<string, (configuration: Configuration, role?: Role) => Verdict | Promise<Verdict>>> = {
  node: () => {
    const major = Number(process.versions.node.split('.')[0])
    return major >= 24
      ? ok(`Node.js ${process.versions.node}`)
      : failure(
          `Node.js ${process.versions.node}`,
          'Install Node.js 24 (`npm ci` brings it; the `eddy` command then uses it).',
        )
  },
  kernel: ({ model: { kernel } }) => {
    const { implementation, detail } = kernelInfo(kernel)
    const found = `${implementation}: ${detail}`
    if (implementation === 'webassembly') return ok(found)
    if (demandsCompiledKernel(kernel))
      return failure(found, 'Set model.kernel to auto, or run on a processor and a Node.js with WebAssembly SIMD.')
    return warning(
      found,
      `Learning works but is some ten times slower. ${
        kernel === 'typescript'
          ? 'Set model.kernel to auto.'
          : 'Run on a processor and a Node.js with WebAssembly SIMD.'
      }`,
    )
  },
  clock: () => {
    const now = Date.now()
    return now >= plausible
      ? ok(new Date(now).toISOString())
      : failure(new Date(now).toISOString(), 'Set the clock (NTP): events and retention go by it.')
  },
  features: ({ features, log }) =>
    features !== undefined && features.length > 0
      ? ok(`${features.length} (${features.map(({ name }) => name).join(', ')})`)
      : existsSync(resolve(log.directory, 'features.json'))
        ? ok('taken from a replayed file')
        : warning(
            'none configured',
            'Declare them in the configuration (--config), or take them from a file with `eddy up --replay`.',
          ),
  secrets: configuration => {
    try {
      customerIds(configuration)
      return ok(
        configuration.customers.hmacKeyFile === undefined
          ? 'customer ids stored as they are'
          : 'customer ids stored as HMACs',
      )
    } catch (error) {
      return failure(
        (error as Error).message,
        'Make a key (`head -c 32 /dev/urandom > key`) that only this user can read.',
      )
    }
  },
  schemas: () => ok(`${publishedSchemas.length} published versions, built in`),
  port: async ({ http }) => {
    const problem = await new Promise<string | undefined>(done => {
      const server = createServer()
        .once('error', error => done((error as NodeJS.ErrnoException).code))
        .listen(http.port, http.host, () => server.close(() => done(undefined)))
    })
    if (problem === undefined) return ok(`${http.host}:${http.port} is free`)
    return problem === 'EADDRINUSE'
      ? warning(`${http.host}:${http.port} is in use`, 'By `eddy up` itself? Otherwise choose another with --port.')
      : failure(
          `${http.host}:${http.port}: ${problem}`,
          'Choose an address of this machine (http.host) and a port from 1024 up.',
        )
  },
  directory: ({ log: { kind, directory } }) => {
    if (kind !== 'embedded') return ok('not used')
    const place = existsSync(directory) ? directory : nearest(resolve(directory))
    try {
      accessSync(place, constants.R_OK | constants.W_OK | constants.X_OK)
    } catch {
      return failure(`${place} cannot be written`, 'Give this user the directory, or choose another with --data-dir.')
    }
    return statSync(place).isDirectory()
      ? ok(existsSync(directory) ? directory : `${directory} will be created`)
      : failure(`${place} is no directory`, 'Choose another with --data-dir.')
  },
  disk: async ({ log: { kind, directory } }) => {
    if (kind !== 'embedded') return ok('not used')
    const { bsize, bavail, blocks } = await statfs(existsSync(directory) ? directory : nearest(resolve(directory)))
    const free = bsize * bavail
    const found = `${(free / 2 ** 30).toFixed(1)} GiB free (${((100 * bavail) / blocks).toFixed(0)} %)`
    return free < leastFreeBytes || bavail / blocks < leastFreeShare
      ? warning(found, 'Make room or lower log.retentionHours; docs/capacity.md has the bytes an event takes.')
      : ok(found)
  },
  log: async ({ log: { kind, directory } }) => {
    if (kind !== 'embedded') return ok('not used')
    if (!existsSync(resolve(directory, 'log.sqlite'))) return ok('none yet')
    const log = openEmbeddedLog(directory, { readOnly: true })
    await log.close()
    return ok('opens')
  },
  broker: brokerVerdict,
  rights: rightsVerdict,
  registry: registryVerdict,
}

/** Nearest directory above that exists. */
function nearest(path: string): string {
  return existsSync(path) ? path : nearest(dirname(path))
}

/**
 * Runs every check; one that throws is a failure with its message.
 * @param role whose rights on Kafka are looked at; if absent, which roles the principal can take
 */
export async function examine(configuration: Configuration, role?: Role): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const [check, run] of Object.entries(checks)) {
    try {
      findings.push({ check, ...(await run(configuration, role)) })
    } catch (error) {
      findings.push({
        check,
        status: 'failure',
        found: (error as Error).message,
        advice: 'See the message; docs/runbooks has more.',
      })
    }
  }
  return findings
}
