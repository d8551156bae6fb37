// `npm run bench -- kernels|pipeline [options]`: measures beside other software and writes docs/benchmarks.
import { benchKafka, KAFKA_USAGE } from '../test/bench/kafka/command.ts'
import { benchKernels, KERNELS_USAGE } from '../test/bench/kernels/command.ts'
import { benchPipeline, PIPELINE_USAGE } from '../test/bench/pipeline/command.ts'

const [what, ...args] = process.argv.slice(2)
if (what === 'kernels') process.exitCode = await benchKernels(args)
else if (what === 'pipeline' && args.includes('--kafka')) process.exitCode = await benchKafka(args)
else if (what === 'pipeline') process.exitCode = await benchPipeline(args)
else {
  console.error(
    `bench: expected kernels or pipeline, got ${what ?? 'nothing'}\n\n${KERNELS_USAGE}\n\n${PIPELINE_USAGE}\n\n${KAFKA_USAGE}`,
  )
  process.exitCode = 2
}
