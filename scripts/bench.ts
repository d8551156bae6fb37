// `npm run bench -- kernels [options]`: measures beside other software and writes docs/benchmarks.
import { benchKernels, KERNELS_USAGE } from '../test/bench/kernels/command.ts'

const [what, ...args] = process.argv.slice(2)
if (what === 'kernels') process.exitCode = await benchKernels(args)
else {
  console.error(`bench: expected kernels, got ${what ?? 'nothing'}\n\n${KERNELS_USAGE}`)
  process.exitCode = 2
}
