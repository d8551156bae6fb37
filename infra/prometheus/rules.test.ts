import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createMetrics } from '@eddy/runtime'
import { describe, expect, it } from 'vitest'
import { hasPrometheus, hastened, rules, seriesIn } from './testing.ts'

const folder = import.meta.dirname
const root = join(folder, '../..')
const alerts = rules().filter(({ alert }) => alert !== undefined)

describe.runIf(hasPrometheus())('promtool', () => {
  const promtool = (...args: string[]) => {
    const { status, stdout, stderr } = spawnSync('promtool', args, { cwd: folder, encoding: 'utf8' })
    return { status, output: stdout + stderr }
  }

  it('accepts the configuration and the rules', () => {
    const { output, status } = promtool('check', 'config', 'prometheus.yml')
    expect(output).not.toContain('FAILED')
    expect(status).toBe(0)
  })

  it("passes the rules' unit tests", () => {
    const { output, status } = promtool('test', 'rules', 'rules/tests/alerts.yml')
    expect(status, output).toBe(0)
  })
})

describe('rules', () => {
  it('every alert has a severity, a summary, a description, a runbook page and a unit test', () => {
    const tests = readFileSync(join(folder, 'rules/tests/alerts.yml'), 'utf8')
    for (const { alert, labels, annotations } of alerts) {
      expect(['critical', 'warning'], alert).toContain(labels?.severity)
      expect(annotations?.summary, alert).toBeTruthy()
      expect(annotations?.description, alert).toBeTruthy()
      expect(annotations?.runbook_url).toBe(`docs/runbooks/${alert}.md`)
      expect(existsSync(join(root, annotations?.runbook_url as string)), alert).toBe(true)
      expect(tests).toMatch(new RegExp(`alertname: ${alert}\\n +exp_alerts:\\n`))
    }
  })

  it('every runbook page belongs to an alert', () => {
    const pages = readdirSync(join(root, 'docs/runbooks')).map(name => name.replace('.md', ''))
    expect(pages.sort()).toEqual(alerts.map(({ alert }) => alert as string).sort())
  })

  it('recording rules are named level:metric:operation', () => {
    for (const { record } of rules())
      if (record !== undefined) expect(record).toMatch(/^[a-z]+:eddy_[a-z_]+:[a-z0-9_]+$/)
  })

  it('use only metrics that there are', () => {
    const known = new Set([
      'up',
      ...rules().map(({ record }) => record),
      ...createMetrics()
        .registry.getMetricsAsArray()
        .flatMap(({ name }) => [name, `${name}_bucket`, `${name}_count`, `${name}_sum`]),
    ])
    expect(rules().flatMap(({ expr }) => seriesIn(expr).filter(name => !known.has(name)))).toEqual([])
  })
})

it('hastened rules differ only in their durations', () => {
  expect(hastened('a[5m] > 10 * 60\nfor: 2m\nb > 50000', 30)).toBe('a[10000ms] > 20\nfor: 4000ms\nb > 50000')
})
