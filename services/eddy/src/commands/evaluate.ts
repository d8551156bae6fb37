import { createKernel } from '@eddy/mixture'
import { Command } from 'commander'
import { figure, fixed, percent } from '../command-line/figures.ts'
import { table } from '../command-line/table.ts'
import { print, processTerminal, type Terminal } from '../command-line/terminal.ts'
import { type Evaluation, evaluateModel } from '../offline/evaluate-model.ts'
import { withExamples } from '../program.ts'
import { addInputOptions, type InputFlags } from './input-options.ts'
import { openScoring } from './open-scoring.ts'

interface EvaluateFlags extends InputFlags {
  readonly model: string
  readonly json?: boolean
}

/** `eddy evaluate`: how well a model describes a file. */
export function evaluateCommand(terminal: Terminal = processTerminal): Command {
  const command = new Command('evaluate')
    .description('report how well a model describes a file: log-likelihood (nats), AIC, BIC, sizes of the segments')
    .requiredOption('--model <model.json>', 'made by eddy fit, or weights_, means_ and covariances_ of scikit-learn')
  addInputOptions(command)
    .option('--json', 'print one JSON object')
    .action(async (flags: EvaluateFlags) => {
      const { model, stream } = await openScoring(terminal, flags)
      const evaluation = await evaluateModel(model, stream.batches, createKernel(flags.kernel))
      await print(terminal, flags.json ? JSON.stringify(evaluation) + '\n' : readable(evaluation))
    })
  return withExamples(command, [
    ['eddy evaluate --model model.json --input held-out.csv', 'on events the model has not seen'],
    ['eddy evaluate --model model.json --input held-out.csv --json | jq .meanLogLikelihood', 'for a script'],
  ])
}

function readable(evaluation: Evaluation): string {
  const { events, meanLogLikelihood, parameters, aic, bic, meanEntropy, segments } = evaluation
  const figures = table(
    ['figure', 'value'],
    [
      ['events', events.toLocaleString('en-US')],
      ['mean log-likelihood, nats', figure(meanLogLikelihood)],
      ['free parameters', String(parameters)],
      ['AIC', fixed(aic, 1)],
      ['BIC', fixed(bic, 1)],
      ['mean entropy, nats', figure(meanEntropy)],
    ],
  )
  const shares = segments
    .toSorted((a, b) => b.share - a.share)
    .map(({ segment, share, occupancy }) => [segment, percent(share), percent(occupancy)])
  return `${figures}\n\n${table(['segment', 'share of events', 'mean posterior'], shares)}\n`
}
