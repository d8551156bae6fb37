import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const slow = process.env.EDDY_SLOW === '1'

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'] } },
  test: {
    include: slow
      ? ['{libs,services,test,infra}/**/*.slow.test.ts']
      : ['{libs,services,test,infra,examples}/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', ...(slow ? [] : ['**/*.slow.test.ts'])],
    // Slow proofs start brokers and crash processes: one at a time.
    fileParallelism: !slow,
    // All of them: much of the time is waiting for processes and brokers.
    ...(slow ? {} : { maxWorkers: availableParallelism() }),
    testTimeout: slow ? 600_000 : 90_000,
    hookTimeout: slow ? 600_000 : 120_000,
  },
})
