import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = join(import.meta.dirname, '..')

interface Locked {
  readonly license?: string
  readonly link?: boolean
  readonly dev?: boolean
}

/** Of what is shipped: they ask for no more than to be named. */
const shipped = ['0BSD', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0', 'ISC', 'MIT']
/** Of what only developers run: changes to its own files would have to be given away, or nothing is asked at all. */
const run = [...shipped, 'MPL-2.0', 'Python-2.0', 'Unlicense']

/** Packages that tell their licence in an older field, which the lockfile does not repeat. */
const older = { ssh2: 'MIT', buildcheck: 'MIT', 'cpu-features': 'MIT' } as const

/** Whether an SPDX expression of names, OR, AND and brackets is satisfied by the licences that are allowed. */
function isAllowed(expression: string, allowed: readonly string[]): boolean {
  const flat = expression.replaceAll(/[()]/g, ' ').trim()
  return flat.split(/ +OR +/).some(choice => choice.split(/ +AND +/).every(name => allowed.includes(name.trim())))
}

describe('licences', () => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked>
  }
  const dependencies = Object.entries(packages)
    .filter(([path, { link }]) => path.includes('node_modules/') && link !== true)
    .map(([path, { license, dev }]) => {
      const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)
      return { name, license: license ?? older[name as keyof typeof older], dev: dev === true }
    })

  it('of all dependencies are ones that we may ship, or run', () => {
    expect(dependencies.length).toBeGreaterThan(100)
    const refused = dependencies.filter(({ license, dev }) => !isAllowed(license ?? 'none', dev ? run : shipped))
    expect(refused).toEqual([])
  })

  it('are told in an older field only where the list says so', () => {
    const silent = dependencies.filter(({ name }) => packages[`node_modules/${name}`]?.license === undefined)
    for (const { name } of silent) {
      const path = join(root, 'node_modules', name, 'package.json')
      // An optional one is not on every machine.
      if (!existsSync(path)) continue
      const { licenses } = JSON.parse(readFileSync(path, 'utf8'))
      expect([name, licenses[0].type]).toEqual([name, older[name as keyof typeof older]])
    }
  })

  it('may be a choice of several, or several at once', () => {
    expect(isAllowed('(MIT OR GPL-3.0-only)', shipped)).toBe(true)
    expect(isAllowed('MIT AND GPL-3.0-only', shipped)).toBe(false)
    expect(isAllowed('MPL-2.0', shipped)).toBe(false)
    expect(isAllowed('MPL-2.0', run)).toBe(true)
    expect(isAllowed('none', run)).toBe(false)
  })
})
