import type { Duplex } from 'node:stream'
import * as zlib from 'node:zlib'
import { BodyError } from './body-error.ts'
import { GrowingBytes } from './growing-bytes.ts'

const chunkSize = 64 << 10

const decoders: Readonly<Record<string, (body: Buffer) => Duplex>> = {
  gzip: () => zlib.createGunzip({ chunkSize }),
  'x-gzip': () => zlib.createGunzip({ chunkSize }),
  // RFC 9110 means zlib's format; some send the bare stream.
  deflate: body => ((body[0]! & 0x0f) === 8 ? zlib.createInflate({ chunkSize }) : zlib.createInflateRaw({ chunkSize })),
  br: () => zlib.createBrotliDecompress({ chunkSize }),
  // Node 22.15 has it.
  ...('createZstdDecompress' in zlib ? { zstd: () => zlib.createZstdDecompress({ chunkSize }) } : {}),
}

export interface DecodeOptions {
  /** the header `content-encoding` */
  readonly encoding: string | undefined
  /** bytes of the decoded body */
  readonly most: number
  /** takes room for so many bytes more, or throws */
  readonly take: (bytes: number) => void
}

/**
 * A request's body as it was before its content coding. Gzip is also known by its content, since that is no text.
 * @throws {BodyError} 415 for a coding that is not known, 413 beyond `most`, 400 for damaged data, and what `take` throws
 */
export async function decodeBody(body: Buffer, { encoding, most, take }: DecodeOptions): Promise<Buffer> {
  const named = encoding?.trim().toLowerCase() ?? ''
  const coding = named === '' || named === 'identity' ? (isGzip(body) ? 'gzip' : undefined) : named
  if (coding === undefined || body.length === 0) return body
  const decoder = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined
  if (decoder === undefined)
    throw new BodyError(
      415,
      `content-encoding: expected one of ${Object.keys(decoders).join(', ')} or none, got ${JSON.stringify(encoding)}`,
    )
  const decoded = new GrowingBytes({ most, take })
  try {
    // Leaving the loop ends the decoder.
    for await (const piece of decoder(body).end(body) as AsyncIterable<Buffer>)
      if (!decoded.add(piece))
        throw new BodyError(413, `body: expected at most ${most} bytes when decoded; send them in several requests`)
  } catch (error) {
    if (error instanceof BodyError) throw error
    throw new BodyError(400, `body: expected ${coding} data, got "${(error as Error).message}"`)
  }
  return decoded.bytes
}

const isGzip = (body: Buffer): boolean => body[0] === 0x1f && body[1] === 0x8b
