import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DEFAULT_PRIOR, DEFAULTS } from '@eddy/mixture'
import { configurationSchema } from '@eddy/settings'
import { describe, expect, it } from 'vitest'
import { commands } from './commands.ts'

const root = join(import.meta.dirname, '../../..')
const page = (path: string): string => readFileSync(join(root, path), 'utf8')
const warmUp = DEFAULTS.warmUp.events.toLocaleString('en-US')

/** What an option of the command line stands for where it is not given. */
const byOption: Readonly<Record<string, unknown>> = {
  '--step-exponent': DEFAULTS.stepSize.exponent,
  '--batch-size': DEFAULTS.batchSize,
  '--variance-floor': DEFAULT_PRIOR.varianceFloor,
}

describe('defaults are the same everywhere', () => {
  it('in the help of every command that has them', async () => {
    const found: string[] = []
    for (const make of Object.values(commands)) {
      const command = await make()
      for (const each of [command, ...command.commands])
        for (const { long, defaultValue } of each.options)
          if (Object.hasOwn(byOption, long ?? '')) {
            found.push(`${each.name()} ${long}`)
            expect([each.name(), long, defaultValue]).toEqual([each.name(), long, byOption[long!]])
          }
    }
    for (const name of ['fit', 'select', 'classify'])
      for (const option of Object.keys(byOption)) expect(found).toContain(`${name} ${option}`)
  })

  it('in the configuration', () => {
    const { model } = configurationSchema.parse({})
    expect(model).toMatchObject({
      stepExponent: DEFAULTS.stepSize.exponent,
      stepOffset: DEFAULTS.stepSize.offset,
      batchSize: DEFAULTS.batchSize,
      varianceFloor: DEFAULT_PRIOR.varianceFloor,
      warmUp: { events: DEFAULTS.warmUp.events },
    })
  })

  it('in README and docs', () => {
    expect(page('README.md')).toContain(`\`model.warmUp.events\` events (${warmUp})`)
    expect(page('docs/one-pass.md')).toContain(`first ${warmUp} events`)
    // Wherever a page says what one of them is by default, it says the same.
    const said = [
      'README.md',
      'ARCHITECTURE.md',
      'docs/one-pass.md',
      'docs/decisions/warm-up.md',
      'examples/lecture/README.md',
    ]
    const patterns: readonly (readonly [RegExp, number])[] = [
      [/warmUp\.events`? (?:events )?\(([\d,]+)\)/g, DEFAULTS.warmUp.events],
      [/batchSize`? \((?:default )?([\d,]+)\)/g, DEFAULTS.batchSize],
      [/in batches of \d+ \(the default is ([\d,]+)\)/g, DEFAULTS.batchSize],
      [/stepExponent`? \((?:default )?([\d.]+)\)/g, DEFAULTS.stepSize.exponent],
      [/varianceFloor`? \((?:default )?([\de.-]+)\)/g, DEFAULT_PRIOR.varianceFloor],
    ]
    for (const path of said)
      for (const [pattern, value] of patterns)
        for (const [text, number] of page(path).matchAll(pattern))
          expect([path, text, Number(number!.replaceAll(',', ''))]).toEqual([path, text, value])
  })
})
