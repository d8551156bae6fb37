// `npm run test:slow`: the proofs that take minutes (crash matrices, soak, live peers). Counts: EDDY_RUNS faults of each
// kind, EDDY_CASES cases of each law, EDDY_FUZZ mutated messages.
import { spawnSync } from 'node:child_process'

const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, EDDY_SLOW: '1' },
})
process.exit(status ?? 1)
