import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parse } from 'yaml'

const folder = import.meta.dirname

/** Whether Debian's `prometheus` (with promtool) is here. In CI it must be; elsewhere its tests say that they are left out. */
export function hasPrometheus(): boolean {
  const found = spawnSync('promtool', ['--version']).status === 0
  if (found || process.env.CI === 'true') return true
  console.warn('Prometheus tests left out: promtool is not installed (Debian: apt-get install prometheus).')
  return false
}

export interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
}

export const ruleFiles = ['rules/recording.yml', 'rules/alerts.yml'] as const

export function rules(): Rule[] {
  return ruleFiles.flatMap(file =>
    (parse(readFileSync(join(folder, file), 'utf8')) as { groups: { rules: Rule[] }[] }).groups.flatMap(
      group => group.rules,
    ),
  )
}

/** Names of metrics of ours (and of recorded ones) in an expression. */
export const seriesIn = (expression: string): string[] => [
  ...new Set(
    expression.match(/\b(?:stage|instance|model):eddy_\w+:\w+|\b(?:eddy|process|nodejs)_\w+\b(?!\s*=)|\bup\b/g) ?? [],
  ),
]

/**
 * The rules with every duration `factor` times shorter: `for:`, ranges, and thresholds written as minutes (`10 * 60`).
 * Expressions and other thresholds stay as they are.
 */
export function hastened(text: string, factor: number): string {
  const unit = { s: 1, m: 60, h: 3600 } as const
  const shorter = (amount: string, name: string): string =>
    `${Math.round((Number(amount) * unit[name as keyof typeof unit] * 1000) / factor)}ms`
  return text
    .replace(/\[(\d+)([smh])\]/g, (_, amount, name) => `[${shorter(amount, name)}]`)
    .replace(/for: (\d+)([smh])$/gm, (_, amount, name) => `for: ${shorter(amount, name)}`)
    .replace(/(\d+) \* 60\b/g, (_, minutes) => String((Number(minutes) * 60) / factor))
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

interface Alert {
  readonly labels: { readonly alertname: string }
  readonly state: string
}

/** A real Prometheus with our rules, scraping one port of this machine twice a second. */
export class Prometheus {
  readonly url: string
  readonly #child: ChildProcess
  readonly #directory: string

  private constructor(url: string, child: ChildProcess, directory: string) {
    this.url = url
    this.#child = child
    this.#directory = directory
  }

  /** @param factor how much faster than in production everything goes */
  static async start(directory: string, target: number, factor: number): Promise<Prometheus> {
    mkdirSync(join(directory, 'rules'), { recursive: true })
    for (const file of ruleFiles)
      writeFileSync(join(directory, file), hastened(readFileSync(join(folder, file), 'utf8'), factor))
    const config = readFileSync(join(folder, 'prometheus.yml'), 'utf8')
      .replace(/(scrape|evaluation)_interval: 15s/g, `$1_interval: ${15_000 / factor}ms`)
      .replace('127.0.0.1:7700', `127.0.0.1:${target}`)
    writeFileSync(join(directory, 'prometheus.yml'), config)
    const port = await freePort()
    const child = spawn(
      'prometheus',
      [
        `--config.file=${join(directory, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(directory, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
        '--log.level=error',
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    )
    const prometheus = new Prometheus(`http://127.0.0.1:${port}`, child, directory)
    const until = Date.now() + 30_000
    while (!(await fetch(`${prometheus.url}/-/ready`).catch(() => undefined))?.ok) {
      if (child.exitCode !== null || Date.now() > until) throw new Error('prometheus: expected it to become ready')
      await delay(50)
    }
    return prometheus
  }

  /** It is told of no target any more, as when a service is scaled to nothing. */
  forgetTargets(): void {
    const file = join(this.#directory, 'prometheus.yml')
    writeFileSync(file, readFileSync(file, 'utf8').replace(/targets: \["127.*\]/, 'targets: []'))
    this.#child.kill('SIGHUP')
  }

  async query(expression: string): Promise<{ metric: Record<string, string>; value: [number, string] }[]> {
    const response = await fetch(`${this.url}/api/v1/query?${new URLSearchParams({ query: expression })}`)
    const body = (await response.json()) as { status: string; error?: string; data: { result: [] } }
    if (body.status !== 'success') throw new Error(`${expression}: ${body.error}`)
    return body.data.result
  }

  /** Names of the alerts that fire now. */
  async firing(): Promise<string[]> {
    const response = await fetch(`${this.url}/api/v1/alerts`)
    const { data } = (await response.json()) as { data: { alerts: Alert[] } }
    return data.alerts.filter(({ state }) => state === 'firing').map(({ labels }) => labels.alertname)
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return
    this.#child.kill('SIGTERM')
    await once(this.#child, 'exit')
  }
}
