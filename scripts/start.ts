// `npm start`: replays real purchases (examples/cdnow) through everything, on the embedded log. Flags of `eddy up` may follow.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { cdnowEvents } from '../examples/cdnow/events.ts'

const root = join(import.meta.dirname, '..')
const flags = process.argv.slice(2)
const defaults = ['--config', join(root, 'examples/cdnow/eddy.yaml'), '--data-dir', join(root, '.eddy')]
if (!flags.some(flag => flag === '--replay' || flag.startsWith('--replay='))) {
  const events = join(root, '.eddy', 'cdnow-events.ndjson')
  if (!existsSync(events)) {
    mkdirSync(dirname(events), { recursive: true })
    writeFileSync(events, `${cdnowEvents().join('\n')}\n`)
  }
  defaults.push('--replay', events)
}
process.argv.splice(2, flags.length, 'up', ...defaults, ...flags)
await import('../services/eddy/src/main.ts')
