import { InputError } from './input-error.ts'

/** Longest line of a stream, bytes: what is not one record a line must not fill the memory. */
export const longestLine = 4 * 1024 * 1024

/**
 * Cuts a stream into lines, those of a chunk at a time, blank ones too. An end of line is LF or CRLF, and no part of
 * the line; the last line needs none. Lines are views of a chunk where they lie in it whole.
 * @param name as errors name the stream
 * @throws {InputError} where a line is longer than `longestLine`
 */
export async function* splitLines(chunks: AsyncIterable<Buffer>, name: string): AsyncGenerator<readonly Buffer[]> {
  let rest: Buffer = Buffer.alloc(0)
  let before = 0
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    // What was left over has been searched already.
    const cut = cutLines(bytes, rest.length)
    rest = cut.rest
    before += cut.lines.length
    if (rest.length > longestLine) {
      throw new InputError(
        `${name}:${before + 1}: expected lines of at most ${longestLine} bytes, got a longer one. Is it one object a line?`,
      )
    }
    if (cut.lines.length > 0) yield cut.lines
  }
  if (rest.length > 0) yield [withoutReturn(rest)]
}

/** The lines of a whole text, cut as `splitLines` cuts; blank ones too. */
export function linesOf(text: Buffer): readonly Buffer[] {
  const { lines, rest } = cutLines(text, 0)
  return rest.length > 0 ? [...lines, withoutReturn(rest)] : lines
}

/** @param from the first end of line is looked for from here on */
function cutLines(bytes: Buffer, from: number): { lines: Buffer[]; rest: Buffer } {
  const lines: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(10, from); end >= 0; end = bytes.indexOf(10, start)) {
    lines.push(withoutReturn(bytes.subarray(start, end)))
    start = end + 1
  }
  return { lines, rest: bytes.subarray(start) }
}

const withoutReturn = (line: Buffer): Buffer => (line.at(-1) === 13 ? line.subarray(0, -1) : line)

/** Whether there is nothing but white space. */
export function isBlank(line: Uint8Array): boolean {
  for (let i = 0; i < line.length; i++) if (line[i]! > 32) return false
  return true
}
