import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { hasTool } from '../../test/fixtures/tool.ts'

it.runIf(hasTool('systemd-analyze', 'apt-get install systemd', '--version')).each([
  ['eddy.service', 'eddy.service'],
  ['eddy@.service', 'eddy@ingest.service'],
])('systemd accepts %s', (unit, instance) => {
  const folder = mkdtempSync(join(tmpdir(), 'eddy-units-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  copyFileSync(join(import.meta.dirname, unit), join(folder, instance))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', join(folder, instance)], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, ''])
})
