import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

describe('principals.sh', () => {
  const { stdout, status, stderr } = spawnSync(join(import.meta.dirname, 'principals.sh'), [], {
    encoding: 'utf8',
    env: { ...process.env, DRY_RUN: '1', BOOTSTRAP: 'b:9093', PASSWORD_SCORING: 'secret' },
  })
  const granted = stdout
    .split('\n')
    .filter(line => line.includes('--allow-principal'))
    .flatMap(line => {
      const principal = /User:eddy-([\w-]+)/.exec(line)?.[1]
      const topic = /--topic eddy\.([\w-]+)\.v1/.exec(line)?.[1]
      return [...line.matchAll(/--operation (Read|Write)/g)]
        .filter(() => topic)
        .map(([, operation]) => `${principal} ${operation} ${topic}`)
    })

  it('grants each service what it does and nothing else', () => {
    expect(status, stderr).toBe(0)
    expect(granted.sort()).toEqual(
      [
        ...['ingest Read events', 'ingest Write features', 'ingest Write dead-letters'],
        ...['em-worker Read features', 'em-worker Read snapshots', 'em-worker Write statistics'],
        ...['em-updater Read features', 'em-updater Read statistics', 'em-updater Read snapshots'],
        ...['em-updater Write snapshots', 'em-updater Write lineage'],
        ...['scoring Read features', 'scoring Read snapshots', 'scoring Write labels'],
      ].sort(),
    )
  })

  it('makes users only where a password is given', () => {
    expect(stdout.match(/--entity-name \S+/g)).toEqual(['--entity-name eddy-scoring'])
  })
})
