import { describe, expect, it } from 'vitest'
import { explain, isFull, isIndefinite } from './errors.ts'

const failed = (errcode: number): Error => Object.assign(new Error('disk I/O error'), { errcode })
const FULL = 13
const IOERR_SHMSIZE = 4874
const IOERR_FSYNC = 1034

describe('what a failure of SQLite means', () => {
  it('no room for the index of the write-ahead log is a full disk: nothing has been written', () => {
    for (const code of [FULL, IOERR_SHMSIZE]) {
      expect(isFull(failed(code))).toBe(true)
      expect(isIndefinite(failed(code))).toBe(false)
      expect(explain(failed(code), 'log.sqlite')).toMatchObject({ code: 'FULL' })
    }
  })

  it('other failures of storage leave the outcome open, and are named with their code', () => {
    expect(isFull(failed(IOERR_FSYNC))).toBe(false)
    expect(isIndefinite(failed(IOERR_FSYNC))).toBe(true)
    expect(explain(failed(IOERR_FSYNC), 'log.sqlite').message).toContain('1034')
  })
})
