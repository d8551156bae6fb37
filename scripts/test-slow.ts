// `npm run test:slow`: the proofs that take minutes (crash matrices, soak, live peers). Counts are raised by EDDY_RUNS.
import { spawnSync } from 'node:child_process'

const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, EDDY_SLOW: '1' },
})
process.exit(status ?? 1)
