import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { BodyError } from './body-error.ts'

type Decode = (body: Buffer, options: { readonly maxOutputLength: number }) => Promise<Buffer>

const [gunzip, inflate, inflateRaw, brotli] = [zlib.gunzip, zlib.inflate, zlib.inflateRaw, zlib.brotliDecompress].map(
  decompress => promisify(decompress) as Decode,
) as [Decode, Decode, Decode, Decode]

const decoders: Readonly<Record<string, Decode>> = {
  gzip: gunzip,
  'x-gzip': gunzip,
  // RFC 9110 means zlib's format; some send the bare stream.
  deflate: (body, options) => ((body[0]! & 0x0f) === 8 ? inflate : inflateRaw)(body, options),
  br: brotli,
  // Node 22.15 has it.
  ...('zstdDecompress' in zlib ? { zstd: promisify(zlib.zstdDecompress) as Decode } : {}),
}

/**
 * A request's body as it was before its content coding. Gzip is also known by its content, since that is no text.
 * @param encoding the header `content-encoding`
 * @param most bytes of the decoded body
 * @throws {BodyError} 415 for a coding that is not known, 413 beyond `most`, 400 for damaged data
 */
export async function decodeBody(body: Buffer, encoding: string | undefined, most: number): Promise<Buffer> {
  const named = encoding?.trim().toLowerCase() ?? ''
  const coding = named === '' || named === 'identity' ? (isGzip(body) ? 'gzip' : undefined) : named
  if (coding === undefined || body.length === 0) return body
  const decode = Object.hasOwn(decoders, coding) ? decoders[coding] : undefined
  if (decode === undefined)
    throw new BodyError(
      415,
      `content-encoding: expected one of ${Object.keys(decoders).join(', ')} or none, got ${JSON.stringify(encoding)}`,
    )
  try {
    return await decode(body, { maxOutputLength: most })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE')
      throw new BodyError(413, `body: expected at most ${most} bytes when decoded; send the events in several requests`)
    throw new BodyError(400, `body: expected ${coding} data, got "${(error as Error).message}"`)
  }
}

const isGzip = (body: Buffer): boolean => body[0] === 0x1f && body[1] === 0x8b
