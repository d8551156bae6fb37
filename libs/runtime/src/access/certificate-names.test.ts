import type { PeerCertificate } from 'node:tls'
import { describe, expect, it } from 'vitest'
import { certificateNames } from './certificate-names.ts'

const names = (CN: unknown, subjectaltname?: string): string[] =>
  certificateNames({ subject: { CN }, subjectaltname } as unknown as PeerCertificate)

describe('names of a certificate', () => {
  it('are its common name and the names among its alternative names', () => {
    expect(names('shop', 'DNS:shop.internal, URI:spiffe://x/shop, email:shop@x, IP Address:10.0.0.1')).toEqual([
      'shop',
      'shop.internal',
      'spiffe://x/shop',
      'shop@x',
    ])
    expect(names(['one', 'two'])).toEqual(['one', 'two'])
    expect(names(undefined, 'DNS:*.internal')).toEqual(['*.internal'])
    expect(certificateNames({} as PeerCertificate)).toEqual([])
  })

  it('cannot be made up inside another: a value that looks like two is one', () => {
    // As Node writes a DNS name that holds `a, DNS:ops`.
    expect(names('shop', 'DNS:"a, DNS:ops", URI:"x\\"y, DNS:ops"')).toEqual(['shop', 'a, DNS:ops', 'x"y, DNS:ops'])
    expect(names('shop', 'DirName:"CN=a, DNS:ops", DNS:real')).toEqual(['shop', 'real'])
    expect(names('shop', 'DNS:real, broken"')).toEqual(['shop'])
  })
})
