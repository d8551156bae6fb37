import { sourceOf } from '@eddy/messages'
import { InputError, shown } from './input-error.ts'
import { batchSize, type InputRecord, type OnInvalid } from './input-record.ts'
import type { OpenInput } from './open-input.ts'
import { isBlank, splitLines } from './split-lines.ts'

class NdjsonRecord implements InputRecord {
  readonly textual = false
  readonly line: number
  readonly #text: string
  readonly #fields: Record<string, unknown>
  readonly #features: Record<string, unknown> | undefined

  constructor(
    line: number,
    text: string,
    fields: Record<string, unknown>,
    features: Record<string, unknown> | undefined,
  ) {
    this.line = line
    this.#text = text
    this.#fields = fields
    this.#features = features
  }

  get weight(): unknown {
    return this.#features && this.#fields.weight
  }

  names(): readonly string[] {
    if (!this.#features) return Object.keys(this.#fields)
    const others = Object.keys(this.#fields).filter(name => name !== 'features' && name !== 'weight')
    return [...others, ...Object.keys(this.#features)]
  }

  get(name: string): unknown {
    if (this.#features && Object.hasOwn(this.#features, name)) return this.#features[name]
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined
  }

  text(name: string): string | undefined {
    const value = this.get(name)
    if (typeof value === 'string') return value
    if (typeof value !== 'number') return undefined
    if (Number.isSafeInteger(value)) return String(value)
    const inFeatures = this.#features !== undefined && Object.hasOwn(this.#features, name)
    return sourceOf(this.#text, inFeatures ? ['features', name] : [name])
  }
}

/** One JSON object a line: `{customer, time?, weight?, features: {name: value}}`, or the features flat beside the customer. */
export async function* ndjsonRecords(input: OpenInput, onInvalid: OnInvalid): AsyncGenerator<readonly InputRecord[]> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let batch: InputRecord[] = []
  let line = 0
  for await (const lines of splitLines(input.chunks, input.name)) {
    for (const bytes of lines) {
      line++
      if (isBlank(bytes)) continue
      try {
        batch.push(recordOf(textOf(bytes, line), line, input.name))
      } catch (error) {
        if (!(error instanceof InputError)) throw error
        onInvalid(error)
      }
      if (batch.length < batchSize) continue
      yield batch
      batch = []
    }
  }
  if (batch.length > 0) yield batch

  function textOf(bytes: Buffer, at: number): string {
    try {
      return decoder.decode(bytes)
    } catch {
      throw new InputError(`${input.name}:${at}: expected UTF-8 text, got other bytes. Convert it with iconv.`)
    }
  }
}

/** A JSON object as a record. @throws InputError naming file and line */
export function recordOf(text: string, line: number, file: string): InputRecord {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    const hint = /\b(NaN|-?Infinity)\b/.test(text)
      ? ' JSON has no NaN or Infinity: write null for a missing value.'
      : ''
    throw new InputError(`${file}:${line}: expected one JSON object a line, got "${(error as Error).message}".${hint}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InputError(`${file}:${line}: expected a JSON object, got ${shown(value)}.`)
  }
  const fields = value as Record<string, unknown>
  const nested = Object.hasOwn(fields, 'features') ? fields.features : undefined
  if (nested !== undefined && (typeof nested !== 'object' || nested === null || Array.isArray(nested))) {
    throw new InputError(`${file}:${line}: features: expected an object of name to value, got ${shown(nested)}.`)
  }
  return new NdjsonRecord(line, text, fields, nested as Record<string, unknown> | undefined)
}
