import type { Schema } from 'avsc'

/** The schema registry refused, cannot be reached or answers something else than the Confluent API. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError'
}

export interface RegistryOptions {
  /** e.g. `http://registry:8081`; a path is kept */
  readonly url: string
  /** basic authentication */
  readonly username?: string | undefined
  readonly password?: string | undefined
  /** for one answer, default 10 000 */
  readonly timeoutMs?: number
  /** longest answer that is read, default 1 MiB */
  readonly maxBytes?: number
  /** schemas kept by id, default 1000 */
  readonly cacheSize?: number
}

interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

const attempts = 3
const contentType = 'application/vnd.schemaregistry.v1+json'
/** Ids are positive 32-bit integers; the absent are remembered too. */
const maxId = 0x7fff_ffff

/** A thin client of the Confluent schema registry API. */
export class SchemaRegistry {
  readonly #options: RegistryOptions
  readonly #base: string
  readonly #cache = new Map<number, Schema | undefined>()

  constructor(options: RegistryOptions) {
    this.#options = options
    this.#base = options.url.replace(/\/+$/, '')
  }

  /** Whether `schema` answers from memory. */
  remembers(id: number): boolean {
    return id < 1 || id > maxId || this.#cache.has(id)
  }

  /** Schema of an id; undefined where the registry has none, or one that is not Avro. */
  async schema(id: number): Promise<Schema | undefined> {
    if (id < 1 || id > maxId) return undefined
    if (this.#cache.has(id)) return this.#cache.get(id)
    const what = `schema ${id}`
    const { status, body } = await this.#ask(what, 'GET', `/schemas/ids/${id}`)
    if (status !== 200 && status !== 404) throw this.#refused(what, status, body)
    const isAvro = status === 200 && (body.schemaType ?? 'AVRO') === 'AVRO'
    const schema = isAvro ? this.#parse(what, body.schema) : undefined
    if (this.#cache.size >= (this.#options.cacheSize ?? 1000)) this.#cache.delete(this.#cache.keys().next().value!)
    this.#cache.set(id, schema)
    return schema
  }

  /**
   * Registers a schema (nothing happens where it is registered already).
   * @returns its id; undefined where the registry does not allow us to write
   * @throws RegistryError when it is incompatible with the subject's versions
   */
  async register(subject: string, schema: Schema): Promise<number | undefined> {
    const path = `/subjects/${encodeURIComponent(subject)}/versions`
    const { status, body } = await this.#ask(subject, 'POST', path, schema)
    if (status === 200) return this.#id(subject, body)
    if (status === 403 || status === 405) return undefined
    if (status === 409) {
      throw new RegistryError(
        `${subject}: expected a registry whose versions are compatible with the built-in schema, got 409 ${said(body)}. Run \`eddy schema check\`, then use another topic name or mend the subject's versions.`,
      )
    }
    throw this.#refused(subject, status, body)
  }

  /** Id of a schema under a subject; undefined where it is not registered there. */
  async lookup(subject: string, schema: Schema): Promise<number | undefined> {
    const { status, body } = await this.#ask(subject, 'POST', `/subjects/${encodeURIComponent(subject)}`, schema)
    if (status === 200) return this.#id(subject, body)
    if (status === 404) return undefined
    throw this.#refused(subject, status, body)
  }

  /** Why a schema is incompatible with a subject's versions: empty where it is compatible or there are none. */
  async incompatibilities(subject: string, schema: Schema): Promise<readonly string[]> {
    const path = `/compatibility/subjects/${encodeURIComponent(subject)}/versions?verbose=true`
    const { status, body } = await this.#ask(subject, 'POST', path, schema)
    if (status === 404) return []
    if (status !== 200) throw this.#refused(subject, status, body)
    if (typeof body.is_compatible !== 'boolean') throw this.#odd(subject, 'is_compatible true or false', body)
    if (body.is_compatible) return []
    const messages = Array.isArray(body.messages) ? body.messages.map(shown) : []
    return messages.length > 0 ? messages : ['the registry does not say why']
  }

  #id(what: string, body: Answer['body']): number {
    if (Number.isInteger(body.id) && (body.id as number) >= 1 && (body.id as number) <= maxId) return body.id as number
    throw this.#odd(what, `an id of 1 … ${maxId}`, body)
  }

  #parse(what: string, text: unknown): Schema {
    try {
      return JSON.parse(text as string) as Schema
    } catch {
      throw this.#odd(what, 'a schema as JSON text', text)
    }
  }

  #refused(what: string, status: number, body: Answer['body']): RegistryError {
    const next =
      status === 401 || status === 403
        ? 'Check registry.username, registry.password and what that user may do.'
        : "Is registry.url the base of a Confluent API? See the registry's log."
    return new RegistryError(
      `${what}: expected the registry ${this.#shown} to answer 200, got ${status} ${said(body)}. ${next}`,
    )
  }

  #odd(what: string, expected: string, got: unknown): RegistryError {
    return new RegistryError(
      `${what}: expected ${expected} from the registry ${this.#shown}, got ${shown(got)}. Is registry.url the base of a Confluent API?`,
    )
  }

  /** One request; a registry that does not answer, or with 5xx, is asked again. */
  async #ask(what: string, method: string, path: string, schema?: Schema): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        const answer = await this.#request(what, method, path, schema)
        if (answer.status < 500 || attempt === attempts) return answer
      } catch (error) {
        if (error instanceof RegistryError) throw error
        if (attempt === attempts || (error as Error).name === 'TimeoutError')
          throw this.#unreachable(what, error as Error)
      }
      await new Promise(resolve => setTimeout(resolve, 100 * 3 ** attempt))
    }
  }

  #unreachable(what: string, error: Error): RegistryError {
    const cause = (error.cause as NodeJS.ErrnoException | undefined)?.code ?? withoutCredentials(error.message)
    return new RegistryError(
      `${what}: expected an answer of the registry ${this.#shown}, got ${cause}. Is it up, and is registry.url right? Without registry.url the built-in ids are used.`,
    )
  }

  async #request(what: string, method: string, path: string, schema?: Schema): Promise<Answer> {
    const { username, password = '', timeoutMs = 10_000, maxBytes = 1_048_576 } = this.#options
    const credentials = Buffer.from(`${username}:${password}`).toString('base64')
    const response = await fetch(`${this.#base}${path}`, {
      method,
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        accept: `${contentType}, application/json`,
        ...(username === undefined ? {} : { authorization: `Basic ${credentials}` }),
        ...(schema === undefined ? {} : { 'content-type': contentType }),
      },
      ...(schema === undefined ? {} : { body: JSON.stringify({ schema: JSON.stringify(schema) }) }),
    })
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of response.body ?? []) {
      size += chunk.length
      // Leaving the loop cancels the rest.
      if (size > maxBytes) throw this.#odd(what, `at most ${maxBytes} bytes`, 'more')
      chunks.push(chunk)
    }
    const text = Buffer.concat(chunks).toString('utf8')
    try {
      const body: unknown = JSON.parse(text)
      if (typeof body === 'object' && body !== null) return { status: response.status, body: body as Answer['body'] }
    } catch {
      // said below
    }
    if (response.status !== 200) return { status: response.status, body: { message: text } }
    throw this.#odd(what, 'a JSON object', text)
  }

  /** The address without credentials that may be in it. */
  get #shown(): string {
    return withoutCredentials(this.#base)
  }
}

const withoutCredentials = (text: string): string => text.replace(/\/\/[^/]*@/, '//')

const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : String(JSON.stringify(value))).slice(0, 300)

const said = (body: Answer['body']): string => (typeof body.message === 'string' ? shown(body.message) : shown(body))
