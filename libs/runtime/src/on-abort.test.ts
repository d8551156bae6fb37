import { NEVER, takeUntil } from 'rxjs'
import { expect, it } from 'vitest'
import { onAbort } from './on-abort.ts'

it('ends a stream when the signal aborts, and one that begins after it has', () => {
  const controller = new AbortController()
  const ended: string[] = []
  const stream = NEVER.pipe(takeUntil(onAbort(controller.signal)))
  stream.subscribe({ complete: () => ended.push('before') })
  expect(ended).toEqual([])
  controller.abort()
  stream.subscribe({ complete: () => ended.push('after') })
  expect(ended).toEqual(['before', 'after'])
})
