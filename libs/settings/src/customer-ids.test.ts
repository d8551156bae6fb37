import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { customerIds } from './customer-ids.ts'

const folder = mkdtempSync(join(tmpdir(), 'eddy-ids-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** Ids under a key of so many bytes. */
function under(bytes: number) {
  const hmacKeyFile = join(folder, `key-${bytes}`)
  writeFileSync(hmacKeyFile, Buffer.alloc(bytes, 7))
  return customerIds({ customers: { hmacKeyFile } })
}

it('are HMAC-SHA256 under a key of at least 32 bytes: always the same, and nobody can test a guess without it', () => {
  const ids = under(32)!
  expect(ids('ann')).toBe(createHmac('sha256', Buffer.alloc(32, 7)).update('ann').digest('base64url'))
  expect(under(33)!('ann')).not.toBe(ids('ann'))
  expect(() => under(31)).toThrow(/customers\.hmacKeyFile: expected at least 32 bytes in .*, got 31/)
})

it('stay as they are without a key; a key that cannot be read is an error, not no key', () => {
  expect(customerIds({ customers: {} })).toBeUndefined()
  expect(() => customerIds({ customers: { hmacKeyFile: join(folder, 'none') } })).toThrow(/got ENOENT/)
})
