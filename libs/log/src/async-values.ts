import type { Observable } from 'rxjs'

/**
 * The values of an observable, one at a time. Waiting values are queued: the source must bound them itself, as the log
 * does (a partition hands out its next delivery only after the ack).
 */
export async function* asyncValues<T>(source: Observable<T>): AsyncGenerator<T> {
  const queue: T[] = []
  let ended = false
  let failure: unknown
  let wake = (): void => {}
  const subscription = source.subscribe({
    next: value => {
      queue.push(value)
      wake()
    },
    error: error => {
      failure = error
      ended = true
      wake()
    },
    complete: () => {
      ended = true
      wake()
    },
  })
  try {
    for (;;) {
      while (queue.length > 0) yield queue.shift() as T
      if (ended) break
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
    if (failure !== undefined) throw failure
  } finally {
    subscription.unsubscribe()
  }
}
