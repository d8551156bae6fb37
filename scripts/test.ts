// `npm test`: types, style and exports that nobody uses, then every fast test. Extra arguments go to vitest.
import { spawnSync } from 'node:child_process'

const step = (command: string, args: string[]): void => {
  const { status } = spawnSync(process.execPath, [command, ...args], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

const filters = process.argv.slice(2)
if (filters.length === 0) {
  step('node_modules/typescript/bin/tsc', ['--noEmit'])
  step('node_modules/@biomejs/biome/bin/biome', ['check'])
  // Its packages are built by that configuration: what it finds in dist is then known by its source.
  step('node_modules/knip/bin/knip.js', ['--tsConfig', 'tsconfig.build.json'])
}
step('node_modules/vitest/vitest.mjs', ['run', ...filters])
