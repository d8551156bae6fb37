import { lastValueFrom, Subject, toArray } from 'rxjs'
import { describe, expect, it } from 'vitest'
import { Mailbox } from './mailbox.ts'

describe('Mailbox', () => {
  it('handles one message at a time, in the order in which they came, of whichever sender', async () => {
    const numbers = new Subject<number>()
    const words = new Subject<string>()
    const gates = new Map([1, 2].map(n => [n, Promise.withResolvers<void>()]))
    const begun: (number | string)[] = []
    const box = new Mailbox<string>()
      .from(numbers, async n => {
        begun.push(n)
        await gates.get(n)!.promise
        return [`${n}a`, `${n}b`]
      })
      .from(words, word => {
        begun.push(word)
        return word === 'nothing' ? [] : [word]
      })
    const outcomes = lastValueFrom(box.outcomes().pipe(toArray()))
    numbers.next(1)
    words.next('one')
    numbers.next(2)
    words.next('nothing')
    numbers.complete()
    words.complete()
    gates.get(2)!.resolve()
    await Promise.resolve()
    expect(begun).toEqual([1])
    gates.get(1)!.resolve()
    expect(await outcomes).toEqual(['1a', '1b', 'one', '2a', '2b'])
    expect(begun).toEqual([1, 'one', 2, 'nothing'])
  })

  it('ends with the first error, of a sender or in handling', async () => {
    const numbers = new Subject<number>()
    const failing = lastValueFrom(
      new Mailbox<number>()
        .from(numbers, n => {
          if (n === 2) throw new Error('no twos')
          return [n]
        })
        .outcomes()
        .pipe(toArray()),
    )
    for (const n of [1, 2, 3]) numbers.next(n)
    await expect(failing).rejects.toThrow('no twos')
    const broken = new Subject<number>()
    const outcome = lastValueFrom(new Mailbox<number>().from(broken, n => [n]).outcomes())
    broken.error(new Error('cut'))
    await expect(outcome).rejects.toThrow('cut')
  })
})
