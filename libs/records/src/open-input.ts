import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { InputError } from './input-error.ts'

/** An opened input: decompressed bytes in UTF-8 (as far as their encoding shows), and how far it has been read. */
export interface OpenInput {
  /** as errors name it: the path, or `stdin` */
  readonly name: string
  /** decompressed; ends with an InputError when the data is damaged */
  readonly chunks: AsyncIterable<Buffer>
  /** the first bytes of `chunks`, to detect the format; empty for an empty input */
  readonly head: Buffer
  /** whether the file has these very bytes: it is neither compressed nor in another encoding */
  readonly plain: boolean
  /** bytes of the file (compressed if it is); undefined for a stream */
  readonly size: number | undefined
  /** bytes of the file read so far */
  position(): number
}

/**
 * Opens a file, or standard input for `-`. Gzip, Zstandard and UTF-16 are recognised by how they begin.
 * @throws InputError when the file cannot be read
 */
export async function openInput(path: string, stdin: Readable = process.stdin): Promise<OpenInput> {
  const name = path === '-' ? 'stdin' : path
  const size = path === '-' ? undefined : await sizeOf(path)
  let position = 0
  const source = path === '-' ? stdin : createReadStream(path, { highWaterMark: 256 * 1024 })
  const raw = await peek(
    named(source, name, chunk => {
      position += chunk.length
    }),
  )
  const packing = packings.find(({ magic }) => begins(raw.head, magic))
  const unpacked = packing === undefined ? raw : await peek(unpack(raw.chunks, packing, name))
  const encoding = encodings.find(({ mark }) => begins(unpacked.head, mark))
  const text = encoding === undefined ? unpacked : await peek(decode(unpacked.chunks, encoding.name, name))
  return { name, chunks: text.chunks, head: text.head, plain: text === raw, size, position: () => position }
}

/** Lets go of an input that is not read on. */
export async function closeInput({ chunks }: OpenInput): Promise<void> {
  for await (const _ of chunks) return
}

interface Packing {
  readonly name: string
  readonly magic: readonly number[]
  readonly create: (options: { chunkSize: number }) => Transform
}

const packings: readonly Packing[] = [
  { name: 'gzip', magic: [0x1f, 0x8b], create: createGunzip },
  { name: 'Zstandard', magic: [0x28, 0xb5, 0x2f, 0xfd], create: createZstdDecompress },
]

const encodings = [
  { name: 'utf-16le', mark: [0xff, 0xfe] },
  { name: 'utf-16be', mark: [0xfe, 0xff] },
]

const begins = (head: Buffer, bytes: readonly number[]): boolean => bytes.every((byte, i) => head[i] === byte)

async function* decode(chunks: AsyncIterable<Buffer>, encoding: string, name: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  try {
    for await (const chunk of chunks) yield Buffer.from(decoder.decode(chunk, { stream: true }))
    yield Buffer.from(decoder.decode())
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(
      `${name}: expected ${encoding.toUpperCase()} text, as it begins, got other bytes. Is the file whole?`,
    )
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path)
    if (found.isDirectory()) throw new InputError(`${path}: expected a file, got a folder. Name one file in it.`)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    if (error instanceof InputError) throw error
    throw unreadable(path, error)
  }
}

function unreadable(name: string, error: unknown): InputError {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') {
    return new InputError(`${name}: expected a file, got no such file. Check the path, or use - for standard input.`)
  }
  if (code === 'EACCES') return new InputError(`${name}: expected a readable file, got no permission to read it.`)
  return new InputError(`${name}: expected readable data, got "${message}".`)
}

async function* named(
  source: AsyncIterable<unknown>,
  name: string,
  count: (chunk: Buffer) => void,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of source) {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : (chunk as Buffer)
      count(bytes)
      yield bytes
    }
  } catch (error) {
    throw unreadable(name, error)
  }
}

async function* unpack(
  chunks: AsyncIterable<Buffer>,
  { create, ...packing }: Packing,
  name: string,
): AsyncGenerator<Buffer> {
  const source = Readable.from(chunks)
  const unpacked = create({ chunkSize: 256 * 1024 })
  source.on('error', error => unpacked.destroy(error))
  try {
    for await (const chunk of source.pipe(unpacked)) yield chunk as Buffer
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(
      `${name}: expected whole ${packing.name} data, got "${(error as Error).message}". The file is damaged or was cut: fetch it again.`,
    )
  } finally {
    source.destroy()
  }
}

/** Reads ahead until there are some bytes; `chunks` still gives all of them. */
async function peek(chunks: AsyncIterable<Buffer>): Promise<{ head: Buffer; chunks: AsyncIterable<Buffer> }> {
  const iterator = chunks[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  let done = false
  // Enough to see a header line; a slow stream is not waited for beyond its first line.
  while (!done && head.length < 64 * 1024 && !head.includes(0x0a)) {
    const next = await iterator.next()
    if (next.done) done = true
    else head = Buffer.concat([head, next.value])
  }
  async function* all(): AsyncGenerator<Buffer> {
    try {
      if (head.length > 0) yield head
      while (!done) {
        const next = await iterator.next()
        if (next.done) done = true
        else yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return { head, chunks: all() }
}
