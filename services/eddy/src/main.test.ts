import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { version } from './program.ts'

const bin = fileURLToPath(new URL('../bin/eddy.cjs', import.meta.url))

async function eddy(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { stdout, stderr, code: code as number }
}

describe('npx eddy', () => {
  it('prints help on stdout, exit code 0', async () => {
    const { stdout, stderr, code } = await eddy('--help')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout).toMatch(/^Usage: eddy/m)
  })

  it('prints its version', async () => {
    expect(await eddy('--version')).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 })
  })

  it('refuses an unknown option on stderr, exit code 2', async () => {
    const { stdout, stderr, code } = await eddy('--nonsense')
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
    expect(stderr).toMatch(/^eddy: unknown option '--nonsense'/)
  })
})
