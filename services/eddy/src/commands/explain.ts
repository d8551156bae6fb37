import { createKernel, type Explanation, explainer, random } from '@eddy/mixture'
import { Command } from 'commander'
import { nameList } from '../command-line/arguments.ts'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { segmentId } from '../offline/evaluate-model.ts'
import { withExamples } from '../program.ts'
import { addInputOptions, type InputFlags } from './input-options.ts'
import { keptValues } from './kept-values.ts'
import { openScoring } from './open-scoring.ts'

interface ExplainFlags extends InputFlags {
  readonly model: string
  readonly keep?: readonly string[]
}

/** `eddy explain`: why every event of a file belongs to its segment, one JSON line a row. */
export function explainCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('explain')
    .description(
      'print for every event its posterior, the entropy of the posterior, and what each feature adds to the log odds of its segment over the runner-up (nats)',
    )
    .requiredOption('--model <model.json>', 'made by eddy fit, or weights_, means_ and covariances_ of scikit-learn')
  addInputOptions(command)
    .option('--keep <a,b>', "copy these of the record's values into each line, e.g. the customer", nameList)
    .option(
      '--json',
      'what is printed: one JSON object a line with segment, posterior (of each component, in order), entropy, runnerUp, logOdds, prior, contributions (nats)',
    )
    .action((flags: ExplainFlags) => explain(terminal, flags))
  return withExamples(command, [
    ['eddy explain --model model.json --input customers.csv --keep customer | head -1 | jq', 'one customer'],
    [
      "eddy explain --model model.json --input customers.csv | jq 'select(.entropy > 0.5)'",
      'customers between segments',
    ],
  ])
}

async function explain(terminal: Terminal, flags: ExplainFlags): Promise<void> {
  const { model, columns, stream } = await openScoring(terminal, flags)
  const explained = explainer(model, random(1), createKernel(flags.kernel))
  const d = columns.length
  const names = columns.map(({ name }) => name)
  for await (const { rows, values, records } of stream.batches) {
    let text = ''
    for (let n = 0; n < rows; n++) {
      const kept = keptValues(records[n]!, flags.keep, stream.records.name)
      text += JSON.stringify({ ...kept, ...told(explained(values.subarray(n * d, (n + 1) * d)), names) }) + '\n'
    }
    await print(terminal, text)
  }
}

/** With the segments' ids and the features' names. */
function told({ component, runnerUp, ...explanation }: Explanation, names: readonly string[]) {
  const { posterior, entropy, logOdds, prior, contributions } = explanation
  return {
    segment: segmentId(component),
    posterior: [...posterior],
    entropy,
    runnerUp: runnerUp === null ? null : segmentId(runnerUp),
    logOdds,
    prior,
    contributions: Object.fromEntries(names.map((name, j) => [name, contributions[j]!])),
  }
}
