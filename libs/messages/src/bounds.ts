import { isUtf8 } from 'node:buffer'
import type { Schema } from 'avsc'
import { MessageError } from './message-error.ts'

/** Walks one value: returns the position after it, or throws MessageError. */
type Walk = (bytes: Uint8Array, at: number, budget: Budget, path: string) => number

interface Budget {
  /** array items left to this message */
  items: number
}

/** Most array items in one message. Far above any model, low enough that a hostile message stays cheap. */
export const maxItems = 65_536

const broken = (path: string, expected: string, got: string) =>
  new MessageError(
    `${path}: expected ${expected}, got ${got}. The bytes are damaged or not this message: quarantine them.`,
  )

/**
 * Position after a base-128 varint of at most `maxBytes` bytes, whose value fits `bits` bits.
 * Overlong forms are refused by the byte limit, overflow by the last byte.
 */
function skipVarint(bytes: Uint8Array, at: number, bits: 32 | 64, path: string): number {
  const most = bits === 32 ? 5 : 10
  for (let i = 0; i < most; i++) {
    if (at + i >= bytes.length) throw broken(path, 'a whole number', 'the end of the bytes')
    const byte = bytes[at + i]!
    if (byte < 0x80) {
      if (i === most - 1 && byte > (bits === 32 ? 0x0f : 0x01)) throw broken(path, `${bits} bits`, 'a larger number')
      return at + i + 1
    }
  }
  throw broken(path, `a number of at most ${most} bytes`, 'a longer one')
}

/** Value of the zigzag varint in [from, to), already checked. Exact below 2^53, which is all a length can use. */
function readVarint(bytes: Uint8Array, from: number, to: number): number {
  let raw = 0
  for (let i = to - 1; i >= from; i--) raw = raw * 128 + (bytes[i]! & 0x7f)
  return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2
}

/** Length in front of bytes or text that begin at `start`; checked against what is left. */
function readLength(bytes: Uint8Array, at: number, start: number, path: string): number {
  const length = readVarint(bytes, at, start)
  if (length < 0 || length > bytes.length - start) {
    throw broken(path, `a length of 0 … ${bytes.length - start} bytes (what is left)`, String(length))
  }
  return length
}

const fixedSize =
  (size: number): Walk =>
  (bytes, at, _budget, path) => {
    if (bytes.length - at < size) throw broken(path, `${size} bytes`, `${bytes.length - at}`)
    return at + size
  }

const primitives: Readonly<Record<string, Walk>> = {
  null: (_bytes, at) => at,
  boolean: (bytes, at, _budget, path) => {
    if (at >= bytes.length || bytes[at]! > 1) throw broken(path, 'a boolean (0 or 1)', String(bytes[at] ?? 'the end'))
    return at + 1
  },
  int: (bytes, at, _budget, path) => skipVarint(bytes, at, 32, path),
  long: (bytes, at, _budget, path) => skipVarint(bytes, at, 64, path),
  float: fixedSize(4),
  double: fixedSize(8),
  bytes: (bytes, at, _budget, path) => {
    const start = skipVarint(bytes, at, 64, path)
    return start + readLength(bytes, at, start, path)
  },
  string: (bytes, at, _budget, path) => {
    const start = skipVarint(bytes, at, 64, path)
    const end = start + readLength(bytes, at, start, path)
    if (!isUtf8(bytes.subarray(start, end))) throw broken(path, 'UTF-8 text', 'other bytes')
    return end
  },
}

function array(item: Walk): Walk {
  return (bytes, at, budget, path) => {
    for (;;) {
      let start = skipVarint(bytes, at, 64, path)
      let count = readVarint(bytes, at, start)
      if (count === 0) return start
      let size = -1
      if (count < 0) {
        // A negative count is followed by the block's size in bytes; avsc skips by it, so it has to be true.
        count = -count
        const end = skipVarint(bytes, start, 64, path)
        size = readVarint(bytes, start, end)
        start = end
      }
      if (count > bytes.length - start || count > budget.items) {
        const most = Math.min(budget.items, bytes.length - start)
        throw broken(path, `a count of 0 … ${most} items`, String(count))
      }
      budget.items -= count
      at = start
      for (let i = 0; i < count; i++) at = item(bytes, at, budget, path)
      if (size >= 0 && at - start !== size) throw broken(path, `a block of ${at - start} bytes`, String(size))
    }
  }
}

function union(branches: readonly Walk[]): Walk {
  return (bytes, at, budget, path) => {
    const start = skipVarint(bytes, at, 64, path)
    const index = readVarint(bytes, at, start)
    const branch = branches[index]
    if (!branch) throw broken(path, `a branch of 0 … ${branches.length - 1}`, String(index))
    return branch(bytes, start, budget, path)
  }
}

/**
 * Compiles a schema into a check of the bytes: lengths, counts, branches, text and the exact end, in one pass that
 * allocates nothing. avsc trusts what it reads (a 5-byte array header can take all memory, a negative count can hang
 * it), so this runs before it.
 * @throws MessageError for a schema with a map, a recursive type or items of no size
 */
export function boundsOf(schema: Schema): (bytes: Uint8Array, at: number) => void {
  const walk = compile(schema, new Map(), '')
  return (bytes, at) => {
    const end = walk(bytes, at, { items: maxItems }, 'message')
    if (end !== bytes.length) throw broken('message', `${end} bytes`, `${bytes.length} (trailing bytes)`)
  }
}

interface SchemaNode {
  readonly type: Schema
  readonly name?: string
  readonly namespace?: string
  readonly fields?: readonly { readonly name: string; readonly type: Schema }[]
  readonly items?: Schema
  readonly symbols?: readonly string[]
  readonly size?: number
}

function compile(schema: Schema, names: Map<string, Walk>, namespace: string): Walk {
  if (Array.isArray(schema)) return union(schema.map(branch => compile(branch, names, namespace)))
  if (typeof schema === 'string') {
    const known = primitives[schema] ?? names.get(schema) ?? names.get(`${namespace}.${schema}`)
    if (known) return known
    throw new MessageError(
      `schema: expected a type defined before and not recursive, got ${schema}. See schemas/README.md.`,
    )
  }
  const node = schema as unknown as SchemaNode
  const space = node.namespace ?? namespace
  const define = (walk: Walk): Walk => {
    if (node.name) names.set(node.name.includes('.') || !space ? node.name : `${space}.${node.name}`, walk)
    return walk
  }
  switch (node.type) {
    case 'record': {
      const fields = node.fields!.map(field => ({
        path: `${node.name}.${field.name}`,
        walk: compile(field.type, names, space),
      }))
      return define((bytes, at, budget) => {
        for (const field of fields) at = field.walk(bytes, at, budget, field.path)
        return at
      })
    }
    case 'array':
      if (isEmptySize(node.items!)) {
        throw new MessageError(`schema: expected array items of at least one byte, got ${JSON.stringify(node.items)}.`)
      }
      return array(compile(node.items!, names, space))
    case 'fixed':
      return define(fixedSize(node.size!))
    case 'enum': {
      const symbols = node.symbols!.length
      return define((bytes, at, _budget, path) => {
        const end = skipVarint(bytes, at, 32, path)
        const index = readVarint(bytes, at, end)
        if (index < 0 || index >= symbols) throw broken(path, `a symbol of 0 … ${symbols - 1}`, String(index))
        return end
      })
    }
    case 'map':
      throw new MessageError(
        'schema: expected no map (its size is not bounded by its count), got one. Use an array of {name, value} records.',
      )
    default:
      return compile(node.type, names, space)
  }
}

function isEmptySize(items: Schema): boolean {
  if (items === 'null') return true
  if (typeof items === 'string' || Array.isArray(items)) return false
  const node = items as unknown as SchemaNode
  return (node.type === 'record' && node.fields!.every(field => isEmptySize(field.type))) || node.size === 0
}
