import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { version } from './program.ts'
import { fileOf } from './testing/temporary-file.ts'

const bin = fileURLToPath(new URL('../bin/eddy.cjs', import.meta.url))

async function eddy(...args: string[]) {
  const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { stdout, stderr, code: code as number }
}

// Each test starts processes, which takes seconds on a busy machine.
describe('npx eddy', { timeout: 120_000 }, () => {
  it('prints help on stdout, exit code 0', async () => {
    const { stdout, stderr, code } = await eddy('--help')
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(stdout).toMatch(/^Usage: eddy/m)
  })

  it('prints its version', async () => {
    expect(await eddy('--version')).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 })
  })

  it('says in one line that a port is taken, and that nobody answers', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const folder = mkdtempSync(join(tmpdir(), 'eddy-port-'))
    const config = join(folder, 'eddy.yaml')
    writeFileSync(config, 'features: [{ name: x }]\n')
    const up = await eddy('up', '--port', `${port}`, '--data-dir', folder, '--config', config)
    taken.close()
    await once(taken, 'close')
    rmSync(folder, { recursive: true })
    expect(up.code).toBe(1)
    expect(up.stderr.trim().split('\n').at(-1)).toMatch(
      /^eddy: http\.port: expected a free port, got \d+ which another/,
    )
    expect(up.stderr).not.toMatch(/^ +at /m)
    for (const args of [
      ['top', '--once'],
      ['forget', 'c1'],
    ]) {
      const { code, stderr } = await eddy(...args, '--url', `http://127.0.0.1:${port}`)
      expect({ code, lines: stderr.trim().split('\n').length }).toEqual({ code: 1, lines: 1 })
      expect(stderr).toMatch(/^eddy: http:\/\/127\.0\.0\.1:\d+: expected a running Eddy, got .*ECONNREFUSED/)
    }
  })

  it('refuses an unknown option on stderr, exit code 2', async () => {
    const { stdout, stderr, code } = await eddy('--nonsense')
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
    expect(stderr).toMatch(/^eddy: unknown option '--nonsense'/)
  })

  it('lists its commands', async () => {
    const { stdout } = await eddy('help')
    const names = 'up produce tail inspect validate fit score explain evaluate select classify'.split(' ')
    for (const name of names) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, 'm'))
    expect((await eddy('fit', '--help')).stdout).toMatch(/^Examples:\n {2}eddy fit /)
    expect((await eddy('help', 'up')).stdout).toMatch(/^Examples:\n {2}eddy up /)
    const mistyped = await eddy('fitt')
    expect(mistyped.code).toBe(2)
    expect(mistyped.stderr).toMatch(/unknown command 'fitt'[\s\S]*Did you mean fit/)
  })

  it('passes standard input, exit codes and signals on', async () => {
    const child = spawn(process.execPath, [bin, 'fit', '--input', '-', '--components', '1'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const exited = once(child, 'exit')
    child.stdin.end('a\n1\n2\n')
    expect(await text(child.stdout)).toMatch(/s1\s+100\.0%\s+1\.5/)
    expect(await exited).toEqual([0, null])
    expect((await eddy('fit', '--input', '/nowhere.csv', '--components', '1')).code).toBe(1)
    expect((await eddy('validate', '--config', '/nowhere.yaml')).code).toBe(78)

    // Waits for the rest of its input; the interrupt reaches the process that reads it.
    const argv = [bin, 'fit', '--input', '-', '--components', '1']
    const waiting = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'pipe'] })
    const ended = once(waiting, 'exit')
    // Once the pipe has room again, the command is reading.
    waiting.stdin.write('a\n' + '1\n'.repeat(100_000))
    await once(waiting.stdin, 'drain')
    waiting.stdin.on('error', () => {})
    waiting.kill('SIGINT')
    expect(await ended).toEqual([130, null])
  })

  it('ends quietly when the reader of its output leaves', async () => {
    const script = `yes 1 | head -200000 | (echo a; cat) > "$0.csv"; "$1" "$2" fit --input "$0.csv" --components 1 --out "$0.json" > /dev/null 2>&1
      "$1" "$2" score --model "$0.json" --input "$0.csv" | head -1; echo "codes \${PIPESTATUS[*]}"`
    const child = spawn('bash', ['-c', script, fileOf('x', ''), process.execPath, bin])
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
    expect(stderr).toBe('')
    expect(stdout).toMatch(/^\{"segment":"s1".*\}\ncodes 0 0\n$/)
  })
})
