import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { loadConfiguration } from '@eddy/runtime'
import { configurationSchema, rightsOf } from '@eddy/settings'
import { describe, expect, it } from 'vitest'

describe('principals.sh', () => {
  const { stdout, status, stderr } = spawnSync(join(import.meta.dirname, 'principals.sh'), [], {
    encoding: 'utf8',
    env: { ...process.env, DRY_RUN: '1', BOOTSTRAP: 'b:9093', PASSWORD_SCORING: 'secret' },
  })
  /** `role operation resource name pattern` of each right. */
  const granted = stdout
    .split('\n')
    .filter(line => line.includes('--allow-principal'))
    .flatMap(line => {
      const role = /User:eddy-([\w-]+)/.exec(line)?.[1]
      const pattern = line.includes('--resource-pattern-type prefixed') ? 'prefixed' : 'literal'
      const resources = [...line.matchAll(/--(topic|group|transactional-id) (\S+)/g)]
      return [...line.matchAll(/--operation (\w+)/g)].flatMap(([, operation]) =>
        resources.map(([, resource, name]) => `${role} ${operation} ${resource} ${name} ${pattern}`),
      )
    })

  it('grants each role what its work needs and nothing else', () => {
    expect(status, stderr).toBe(0)
    const needed = Object.entries(rightsOf(loadConfiguration(configurationSchema, {}))).flatMap(([role, rights]) =>
      rights.map(({ operation, resource, name, pattern }) => `${role} ${operation} ${resource} ${name} ${pattern}`),
    )
    expect([...new Set(granted)].sort()).toEqual([...new Set(needed)].sort())
  })

  it('makes users only where a password is given', () => {
    expect(stdout.match(/--entity-name \S+/g)).toEqual(['--entity-name eddy-scoring'])
  })
})
