import { createKernel, indexOfLargest, scoreModel } from '@eddy/mixture'
import { Command } from 'commander'
import { nameList } from '../command-line/arguments.ts'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { segmentId } from '../offline/evaluate-model.ts'
import { withExamples } from '../program.ts'
import { addInputOptions, type InputFlags } from './input-options.ts'
import { keptValues } from './kept-values.ts'
import { openScoring } from './open-scoring.ts'

interface ScoreFlags extends InputFlags {
  readonly model: string
  readonly keep?: readonly string[]
}

/** `eddy score`: the segment of every event of a file, one JSON line a row, in the order of the rows. */
export function scoreCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('score')
    .description('print the segment, posterior and log density (nats) of every event')
    .requiredOption(
      '--model <model.json>',
      'made by eddy fit or eddy models show; or a data directory of eddy up; or weights_, means_ and covariances_ of scikit-learn',
    )
  addInputOptions(command)
    .option('--keep <a,b>', "copy these of the record's values into each line, e.g. the customer", nameList)
    .option(
      '--json',
      'what is printed: one JSON object a line with segment, posterior (of each component, in order), logDensity (nats)',
    )
    .action((flags: ScoreFlags) => score(terminal, flags))
  return withExamples(command, [
    ['eddy score --model model.json --input customers.csv', 'NDJSON on stdout'],
    ['eddy score --model .eddy --input customers.csv', 'with what eddy up has learned'],
    [
      'eddy score --model model.json --input - --keep customer < events.ndjson | grep \'"s3"\'',
      'customers of segment s3',
    ],
  ])
}

async function score(terminal: Terminal, flags: ScoreFlags): Promise<void> {
  const { model, columns, segments, stream } = await openScoring(terminal, flags)
  const K = model.specification.components
  const kernel = createKernel(flags.kernel)
  for await (const { rows, values, records } of stream.batches) {
    const { posterior, logDensity } = scoreModel(model, { rows, columns: columns.length, values }, kernel)
    let text = ''
    for (let n = 0; n < rows; n++) {
      const best = indexOfLargest(posterior, n * K, K)
      const line = {
        ...keptValues(records[n]!, flags.keep, stream.records.name),
        segment: segments?.[best] ?? segmentId(best),
        posterior: Array.from(posterior.subarray(n * K, (n + 1) * K)),
        logDensity: logDensity[n]!,
      }
      text += JSON.stringify(line) + '\n'
    }
    await print(terminal, text)
  }
}
