// `npm run generate`: writes every committed file that is made from code. test/generated.test.ts checks that they are current.
import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { dashboards } from '../infra/grafana/dashboards.ts'
import { asyncApi } from './asyncapi.ts'
import { metricsPage } from './metrics-page.ts'

export const root = join(import.meta.dirname, '..')

/** Text of each generated file, by path from the root, in the style of the repository. */
export async function generatedFiles(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = {
    'docs/metrics.md': metricsPage(),
    'docs/asyncapi.json': JSON.stringify(asyncApi(), undefined, 2),
  }
  for (const [name, dashboard] of Object.entries(dashboards))
    files[`infra/grafana/dashboards/${name}.json`] = JSON.stringify(dashboard, undefined, 2)
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [path, formatted(path, text)]))
}

function formatted(path: string, text: string): string {
  const biome = join(root, 'node_modules/@biomejs/biome/bin/biome')
  const { stdout, stderr, status } = spawnSync(process.execPath, [biome, 'format', `--stdin-file-path=${path}`], {
    cwd: root,
    input: text,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  if (status !== 0) throw new Error(`${path}: expected text that can be formatted, got: ${stderr}`)
  return stdout
}

if (process.argv[1] === import.meta.filename) {
  for (const [path, text] of Object.entries(await generatedFiles())) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
    console.log(path)
  }
}
