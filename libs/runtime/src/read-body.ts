import type { IncomingMessage } from 'node:http'
import type { BodyBudget } from './body-budget.ts'
import { BodyError } from './body-error.ts'
import { BodyShare } from './body-share.ts'
import { decodeBody } from './decode-body.ts'
import type { DiscardAllowance } from './discard-allowance.ts'
import { GrowingBytes } from './growing-bytes.ts'

export interface ReadBodyOptions {
  readonly budget: BodyBudget
  /** what may be read of what is refused */
  readonly discards: DiscardAllowance
  /** bytes, as sent and decoded */
  readonly most: number
  /** milliseconds until its last byte */
  readonly timeoutMs: number
}

export interface ReadBody {
  readonly bytes: Buffer
  /** to be released when nobody needs the bytes any more */
  readonly share: BodyShare
}

/** How long what is refused is read on, milliseconds in all and without a byte. */
const [patienceMs, idleMs] = [5000, 500]

/**
 * A request's body, without its content coding. Its memory is taken from the budget before it is read where its length is known, and as it
 * comes otherwise.
 * @throws {BodyError} 413 where it is too large, 408 where it does not end in time, 503 where there is no memory for it, 400 where it is
 * cut off, and what `decodeBody` throws; it holds nothing then
 */
export async function readBody(message: IncomingMessage, options: ReadBodyOptions): Promise<ReadBody> {
  const { budget, discards, most } = options
  const gaveUp = Promise.withResolvers<never>()
  gaveUp.promise.catch(() => {})
  const share = new BodyShare(budget, () => performance.now(), gaveUp.reject)
  const take = (bytes: number): void => share.take(bytes)
  try {
    const sent = await received(message, share, gaveUp.promise, options)
    share.finish()
    const bytes = await decodeBody(sent, { encoding: message.headers['content-encoding'], most, take })
    return { bytes, share }
  } catch (error) {
    // Whoever is too slow is not waiting to write.
    const slow = share.stalled || (error as BodyError).statusCode === 408
    share.release()
    if (!slow) await discard(message, discards)
    throw error
  }
}

/** The body as sent; `gaveUp` rejects where it must not go on. */
async function received(
  message: IncomingMessage,
  share: BodyShare,
  gaveUp: Promise<never>,
  { most, timeoutMs }: ReadBodyOptions,
): Promise<Buffer> {
  const tooLarge = new BodyError(413, `body: expected at most ${most} bytes; send them in several requests`)
  const length = message.headers['content-length']
  const expected = length === undefined ? undefined : Number(length)
  if (expected !== undefined && expected > most) throw tooLarge
  const body = new GrowingBytes({ expected, most, take: bytes => share.take(bytes) })
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const onData = (piece: Buffer): void => {
    share.received(piece.length)
    try {
      if (!body.add(piece)) reject(tooLarge)
    } catch (error) {
      reject(error)
    }
  }
  const onEnd = (): void => resolve(body.bytes)
  const onClose = (): void => reject(new BodyError(400, `body: expected its end, got ${body.length} bytes of it`))
  const late = setTimeout(() => {
    reject(new BodyError(408, `body: expected its end within ${timeoutMs / 1000} s, got ${body.length} bytes of it`))
  }, timeoutMs)
  message.on('data', onData).once('end', onEnd).once('error', onClose).once('close', onClose)
  try {
    return await Promise.race([promise, gaveUp])
  } finally {
    clearTimeout(late)
    message.off('data', onData).off('end', onEnd).off('close', onClose)
  }
}

/** Reads on for a while, and keeps nothing. */
async function discard(message: IncomingMessage, allowance: DiscardAllowance): Promise<void> {
  if (message.readableEnded || message.destroyed) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const until = performance.now() + patienceMs
  const onData = (piece: Buffer): void => {
    if (!allowance.take(piece.length) || performance.now() > until) resolve()
    idle.refresh()
  }
  const idle = setTimeout(resolve, idleMs)
  message.on('data', onData).once('end', resolve).once('close', resolve).once('error', resolve).resume()
  await promise
  clearTimeout(idle)
  message.off('data', onData)
}
