import type { Command } from 'commander'
import { describe, expect, it } from 'vitest'
import { commands } from './commands.ts'
import { runCommand } from './testing/run-command.ts'

/** What runs until it is stopped, or changes something and has nothing to tell but that it is done. */
const silent = [
  'dead-letters retry',
  'em-updater',
  'em-worker',
  'ingest',
  'models promote',
  'models rollback',
  'scoring',
]

async function all(): Promise<readonly (readonly [string, Command])[]> {
  const made = await Promise.all(Object.values(commands).map(make => make()))
  return made.flatMap(command =>
    command.commands.length === 0
      ? [[command.name(), command] as const]
      : command.commands.map(sub => [`${command.name()} ${sub.name()}`, sub] as const),
  )
}

describe('every command', () => {
  it('that tells something tells it as JSON where it is asked to, in a shape that its help gives', async () => {
    const named = await all()
    const without = named.filter(([, { options }]) => !options.some(({ long }) => long === '--json'))
    expect(without.map(([name]) => name).toSorted()).toEqual(silent)
    for (const [name, { options }] of named)
      for (const { long, description } of options)
        if (long === '--json') expect([name, description]).toEqual([name, expect.stringMatching(/JSON|\{/)])
  })

  it.each([
    ['score', ['--model', 'm.json', '--inptu', 'x.csv'], '--inptu', '--input'],
    ['score', ['--modell=m.json', '--input', 'x.csv'], '--modell', '--model'],
    ['fit', ['--componets', '3', '--input', 'x.csv'], '--componets', '--components'],
    ['tail', ['--topci', 'labels'], '--topci', '--topic'],
    ['produce', ['--topic', 'events', '--inptu', 'x.csv'], '--inptu', '--input'],
  ] as const)('%s: a mistyped required option is named, with the nearest there is', async (name, argv, wrong, near) => {
    const command = await commands[name]!()
    const { stderr, stdout, code } = await runCommand(() => command, argv)
    expect({ stdout, code }).toEqual({ stdout: '', code: 2 })
    expect(stderr).toContain(`unknown option '${wrong}'\n(Did you mean ${near}?)`)
  })
})
