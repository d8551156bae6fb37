import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigurationError } from '@eddy/runtime'
import type { Configuration } from './configuration.ts'

/** A customer's id as it is stored. */
export type CustomerIds = (customer: string) => string

const leastKeyBytes = 32

/** Whether an id has the form of an HMAC-SHA256 already. */
export const isDisguised = (customer: string): boolean => /^[\w-]{43}$/.test(customer)

/**
 * Ids as they are, or with `customers.hmacKeyFile` their HMAC-SHA256 in base64url: the same customer has the same id, and nobody
 * without the key can tell who it is or test a guess.
 * @throws ConfigurationError when the key cannot be read or is too short
 */
export function customerIds({ customers }: Pick<Configuration, 'customers'>): CustomerIds | undefined {
  const { hmacKeyFile } = customers
  if (hmacKeyFile === undefined) return undefined
  const key = readKey(hmacKeyFile)
  return customer => createHmac('sha256', key).update(customer).digest('base64url')
}

function readKey(path: string): Buffer {
  try {
    const key = readFileSync(path)
    if (key.length >= leastKeyBytes) return key
    throw new ConfigurationError([
      `customers.hmacKeyFile: expected at least ${leastKeyBytes} bytes in ${path}, got ${key.length}; make one with \`head -c 32 /dev/urandom\``,
    ])
  } catch (error) {
    if (error instanceof ConfigurationError) throw error
    throw new ConfigurationError([
      `customers.hmacKeyFile: expected a readable file, got ${(error as NodeJS.ErrnoException).code} for ${path}`,
    ])
  }
}
