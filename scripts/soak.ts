// `node -C source scripts/soak.ts [minutes] [events/s]`: a steady rate into `eddy up`; prints memory and handles as they go, and the slope
// of memory (least squares over the second half, when caches are warm).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseMetrics } from '../services/eddy/src/commands/top-view.ts'
import { EddyProcess } from '../test/eddy-process.ts'
import { postEvents } from '../test/post-events.ts'
import { syntheticEvents } from '../test/synthetic-events.ts'

const minutes = Number(process.argv[2] ?? 30)
const rate = Number(process.argv[3] ?? 5000)
const folder = mkdtempSync(join(tmpdir(), 'eddy-soak-'))
const config = join(folder, 'eddy.yaml')
writeFileSync(config, 'model: { components: 3 }\nlog: { retentionHours: 0.05 }\nfeatures: [{ name: x }, { name: y }]\n')
const running = new EddyProcess(['up', '--config', config, '--data-dir', join(folder, 'data'), '--port', '0'])
const url = await running.url()
const began = performance.now()
const seen: { readonly seconds: number; readonly mib: number; readonly handles: number }[] = []
for (let tick = 0; performance.now() - began < minutes * 60_000; tick++) {
  const response = await postEvents(url, syntheticEvents(rate / 10, tick))
  await response.arrayBuffer()
  if (tick % 100 === 99) {
    const samples = parseMetrics(await (await fetch(`${url}/metrics`)).text())
    const value = (name: string): number => samples.find(sample => sample.name === name)?.value ?? Number.NaN
    const seconds = (performance.now() - began) / 1000
    seen.push({
      seconds,
      mib: value('process_resident_memory_bytes') / 2 ** 20,
      handles: value('process_open_fds'),
    })
    const { mib, handles } = seen.at(-1)!
    console.log(
      `${seconds.toFixed(0)} s  ${mib.toFixed(0)} MiB  ${handles} handles  ${value('eddy_model_learned_events')} learned`,
    )
  }
  await delay(Math.max(0, (tick + 1) * 100 - (performance.now() - began)))
}
const late = seen.slice(Math.floor(seen.length / 2))
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length
const t = mean(late.map(({ seconds }) => seconds))
const m = mean(late.map(({ mib }) => mib))
const slope =
  late.reduce((sum, { seconds, mib }) => sum + (seconds - t) * (mib - m), 0) /
  late.reduce((sum, { seconds }) => sum + (seconds - t) ** 2, 0)
console.log(`slope ${(slope * 3600).toFixed(1)} MiB/h; handles ${late[0]?.handles} → ${late.at(-1)?.handles}`)
await running.stop('SIGTERM')
rmSync(folder, { recursive: true })
