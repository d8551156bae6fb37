import { Subject } from 'rxjs'
import { afterEach, expect, it, vi } from 'vitest'
import { quietAfter } from './quiet.ts'

afterEach(() => {
  vi.useRealTimers()
})

it('tells where the input ends once nothing has come for a while, and asks again where the pause has another reason', async () => {
  vi.useFakeTimers()
  const deliveries = new Subject<void>()
  const answers: ('here' | undefined)[] = [undefined, 'here', 'here']
  const whenQuiet = vi.fn(async () => answers.shift())
  const told: 'here'[] = []
  quietAfter(deliveries, 100, whenQuiet).subscribe(end => told.push(end))
  await vi.advanceTimersByTimeAsync(1000)
  expect(whenQuiet).not.toHaveBeenCalled()
  for (let n = 0; n < 5; n++) {
    deliveries.next()
    await vi.advanceTimersByTimeAsync(99)
  }
  expect(whenQuiet).not.toHaveBeenCalled()
  await vi.advanceTimersByTimeAsync(1)
  expect([whenQuiet.mock.calls.length, told]).toEqual([1, []])
  await vi.advanceTimersByTimeAsync(1000)
  expect([whenQuiet.mock.calls.length, told]).toEqual([2, ['here']])
  deliveries.next()
  await vi.advanceTimersByTimeAsync(100)
  expect(told).toEqual(['here', 'here'])
})
