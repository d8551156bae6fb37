import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { InputError } from './input-error.ts'
import { linesOf, longestLine, splitLines } from './split-lines.ts'

async function split(chunks: readonly Buffer[]): Promise<string[]> {
  async function* source() {
    yield* chunks
  }
  const lines: string[] = []
  for await (const some of splitLines(source(), 'in')) lines.push(...some.map(String))
  return lines
}

describe('lines', () => {
  it('are the same wherever the stream is cut', async () => {
    const piece = fc.constantFrom('a', '', 'é€', '\r', '\n', '\r\n', '{"a":1}')
    await fc.assert(
      fc.asyncProperty(fc.array(piece), fc.infiniteStream(fc.integer({ min: 1, max: 4 })), async (pieces, cuts) => {
        const text = pieces.join('')
        const bytes = Buffer.from(text)
        const chunks: Buffer[] = []
        for (let at = 0; at < bytes.length; ) {
          const length = cuts.next().value as number
          chunks.push(bytes.subarray(at, at + length))
          at += length
        }
        const expected = text.split('\n').map(line => line.replace(/\r$/, ''))
        if (text === '' || text.endsWith('\n')) expected.pop()
        expect(await split(chunks)).toEqual(expected)
        expect(linesOf(bytes).map(String)).toEqual(expected)
      }),
    )
  })

  it('have a longest', async () => {
    const long = Buffer.alloc(longestLine / 2, 'x')
    await expect(split([Buffer.from('a\n'), long, long, long])).rejects.toThrow(InputError)
    await expect(split([Buffer.from('a\n'), long, long, long])).rejects.toThrow(/^in:2: expected lines of at most/)
  })
})
