import { execFileSync, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../test/eddy-process.ts'
import { docker } from '../../test/fixtures/docker.ts'

/** What containers of the tests share: a configuration of two features, a token, and an end. */
export class Workplace {
  readonly #folder = temporaryFolder()
  readonly #containers: string[] = []
  readonly #volumes: string[] = []
  readonly token = randomUUID()
  readonly tokenFile = this.#file('token', this.token)
  readonly metricsToken = randomUUID()
  readonly metricsTokenFile = this.#file('metrics-token', this.metricsToken)
  readonly configurationFile = this.#file(
    'eddy.yaml',
    'model: { components: 3, maxWaitMs: 100, warmUp: { events: 300 } }\nfeatures: [{ name: x }, { name: y }]\n',
  )

  #file(name: string, text: string): string {
    const path = join(this.#folder.path, name)
    writeFileSync(path, text)
    return path
  }

  volume(): string {
    return this.#volumes[this.#volumes.push(docker('volume', 'create').trim()) - 1]!
  }

  /** `docker run` of the image as operators start it: read-only, without capabilities, its data in a volume. */
  run(image: string, volume: string, flags: readonly string[], command: readonly string[] = []): string {
    const mounts = [
      `${this.configurationFile}:/etc/eddy/eddy.yaml:ro`,
      `${this.tokenFile}:/run/secrets/eddy-token:ro`,
      `${volume}:/data`,
    ]
    return docker(
      ...['run', '--read-only', '--cap-drop=ALL', '--security-opt', 'no-new-privileges', ...flags],
      ...mounts.flatMap(mount => ['--volume', mount]),
      ...['--env', 'EDDY_HTTP_HOST=0.0.0.0', '--env', 'EDDY_HTTP_TOKEN_FILE=/run/secrets/eddy-token'],
      ...[image, ...command],
    ).trim()
  }

  /** A container that stays up, its port published on the loopback address. */
  start(image: string, volume: string): EddyContainer {
    const id = this.run(image, volume, ['--detach', '--publish', '127.0.0.1::7700'])
    this.#containers.push(id)
    return new EddyContainer(id, this.token)
  }

  remove(): void {
    if (this.#containers.length > 0) docker('rm', '--force', '--volumes', ...this.#containers)
    if (this.#volumes.length > 0) docker('volume', 'rm', ...this.#volumes)
    this.#folder.remove()
  }
}

/** The HTTP side of an Eddy that asks for a token. */
export class EddyClient {
  readonly #url: string
  readonly #token: string

  constructor(url: string, token: string) {
    this.#url = url
    this.#token = token
  }

  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': 'application/x-ndjson' }
    return fetch(this.#url + path, { headers, ...init })
  }

  /** @returns how many events were acknowledged */
  async post(events: string): Promise<number> {
    const response = await this.fetch('/v1/events', { method: 'POST', body: events })
    if (!response.ok) throw new Error(`events: expected them to be taken, got ${response.status}`)
    return ((await response.json()) as { accepted: number }).accepted
  }

  /** Reads the stream of labels until it has so many. @returns the customers, in the order of the labels */
  async labels(count: number): Promise<string[]> {
    const { body } = await this.fetch('/v1/labels?from=earliest')
    const customers: string[] = []
    let rest = ''
    for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop()!
      customers.push(...customersOf(lines.join('\n')))
      if (customers.length >= count) break
    }
    return customers
  }
}

export class EddyContainer {
  readonly #id: string
  readonly #begin = Date.now()
  readonly client: EddyClient

  constructor(id: string, token: string) {
    this.#id = id
    this.client = new EddyClient(`http://${docker('port', id, '7700').trim()}`, token)
  }

  /** Resolves when Docker says that it is healthy. @returns seconds since its start */
  async healthy(): Promise<number> {
    const filters = [`container=${this.#id}`, 'event=health_status', 'event=die'].flatMap(f => ['--filter', f])
    const since = ['--since', `${Math.floor(this.#begin / 1000)}`]
    const events = spawn('docker', ['events', ...filters, ...since], { stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      for await (const chunk of events.stdout) {
        if (/ health_status: healthy /.test(String(chunk))) return (Date.now() - this.#begin) / 1000
        if (/ (health_status: unhealthy|die) /.test(String(chunk))) break
      }
    } finally {
      events.kill()
    }
    throw new Error(`container: expected it to become healthy, got:\n${docker('logs', this.#id)}`)
  }

  /** What a script prints that runs in the container. */
  evaluate(script: string): string {
    return docker('exec', this.#id, 'node', '-e', script).trim()
  }

  exec(...command: readonly string[]): string {
    return docker('exec', this.#id, ...command)
  }

  get state(): { readonly ExitCode: number; readonly OOMKilled: boolean } {
    return JSON.parse(docker('inspect', '--format', '{{json .State}}', this.#id))
  }

  /** `docker stop`: SIGTERM, and SIGKILL after the deadline (seconds). @returns seconds it took */
  async stop(deadline: number): Promise<number> {
    const begin = Date.now()
    await once(spawn('docker', ['stop', '--time', `${deadline}`, this.#id], { stdio: 'ignore' }), 'exit')
    return (Date.now() - begin) / 1000
  }
}

/** Customers that a text tells of: events or labels, one JSON object a line. */
export function customersOf(text: string): string[] {
  return Array.from(text.matchAll(/"customer":"(\w+)"/g), match => match[1]!)
}

/** `docker compose` as a plugin or as a command of its own, version 2 or newer; undefined if there is none. */
export function composeCommand(): readonly string[] | undefined {
  return [['docker', 'compose'], ['docker-compose']].find(([command, ...args]) => {
    try {
      return !/^docker-compose version 1\./m.test(
        execFileSync(command!, [...args, 'version'], { encoding: 'utf8', stdio: 'pipe' }),
      )
    } catch {
      return false
    }
  })
}
