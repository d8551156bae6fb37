import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A temporary Python environment with the peers in it. */
export interface PythonPeers {
  readonly python: string
  /** installed packages and versions */
  readonly versions: Readonly<Record<string, string>>
}

const PACKAGES = ['scikit-learn', 'threadpoolctl', 'betula-cluster', 'river']

/** Makes the environment, or takes the one an earlier run left in the temporary folder. @throws if pip fails */
export function installPeers(extra: readonly string[] = []): PythonPeers {
  const folder = join(tmpdir(), 'eddy-bench-peers')
  const python = join(folder, 'bin', 'python')
  if (!existsSync(python)) execFileSync('python3', ['-m', 'venv', folder], { stdio: ['ignore', 2, 2] })
  const pip = (args: string[]) =>
    execFileSync(python, ['-m', 'pip', '--disable-pip-version-check', ...args], { encoding: 'utf8' })
  const versions = () => {
    const list = JSON.parse(pip(['list', '--format', 'json'])) as { name: string; version: string }[]
    return Object.fromEntries(list.map(({ name, version }) => [name, version]))
  }
  const missing = [...PACKAGES, ...extra].filter(name => !(name in versions()))
  if (missing.length > 0) {
    console.error(`Installing ${missing.join(', ')} in ${folder} …`)
    pip(['install', '--quiet', ...missing])
  }
  return { python, versions: versions() }
}
