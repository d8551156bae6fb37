import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { InputError } from './input-error.ts'

/** An opened input: decompressed bytes, and how far it has been read. */
export interface OpenInput {
  /** as errors name it: the path, or `stdin` */
  readonly name: string
  /** decompressed; ends with an InputError when the data is damaged */
  readonly chunks: AsyncIterable<Buffer>
  /** the first bytes of `chunks`, to detect the format; empty for an empty input */
  readonly head: Buffer
  /** bytes of the file (compressed if it is); undefined for a stream */
  readonly size: number | undefined
  /** bytes of the file read so far */
  position(): number
}

/**
 * Opens a file, or standard input for `-`. Gzip is recognised by its content.
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
  const gzip = raw.head[0] === 0x1f && raw.head[1] === 0x8b
  const plain = gzip ? await peek(gunzip(raw.chunks, name)) : raw
  return { name, chunks: plain.chunks, head: plain.head, size, position: () => position }
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

async function* gunzip(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<Buffer> {
  const source = Readable.from(chunks)
  const unzipped = createGunzip({ chunkSize: 256 * 1024 })
  source.on('error', error => unzipped.destroy(error))
  try {
    for await (const chunk of source.pipe(unzipped)) yield chunk as Buffer
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(
      `${name}: expected whole gzip data, got "${(error as Error).message}". The file is damaged or was cut: fetch it again.`,
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
