// `npm run bench -- kernels|pipeline|attacks|one-pass [options]`: measures beside other software and writes docs/benchmarks.
import { ATTACKS_USAGE, benchAttacks } from '../test/bench/attacks/command.ts'
import { benchKafka, KAFKA_USAGE } from '../test/bench/kafka/command.ts'
import { benchKernels, KERNELS_USAGE } from '../test/bench/kernels/command.ts'
import { benchOnePass, ONE_PASS_USAGE } from '../test/bench/one-pass/command.ts'
import { benchPipeline, PIPELINE_USAGE } from '../test/bench/pipeline/command.ts'

const usage = [KERNELS_USAGE, PIPELINE_USAGE, KAFKA_USAGE, ATTACKS_USAGE, ONE_PASS_USAGE].join('\n\n')

async function bench([what, ...args]: readonly string[]): Promise<number> {
  if (what === '--help' || args.includes('--help')) {
    console.log(usage)
    return 0
  }
  if (what === 'kernels') return benchKernels(args)
  if (what === 'pipeline') return args.includes('--kafka') ? benchKafka(args) : benchPipeline(args)
  if (what === 'attacks') return benchAttacks(args)
  if (what === 'one-pass') return benchOnePass(args)
  console.error(`bench: expected kernels, pipeline, attacks or one-pass, got ${what ?? 'nothing'}\n\n${usage}`)
  return 2
}

try {
  process.exitCode = await bench(process.argv.slice(2))
} catch (error) {
  const { code, message } = error as NodeJS.ErrnoException
  if (code?.startsWith('ERR_PARSE_ARGS') !== true) throw error
  console.error(`bench: ${message}\n\n${usage}`)
  process.exitCode = 2
}
