import { Observable } from 'rxjs'

/** Where the input ends, when nothing has come for a while; undefined where the pause has another reason, such as a replay that waits. */
export type WhenQuiet<End> = () => Promise<End | undefined>

/**
 * Tells where the input ends when no delivery has come for a while, so that what has arrived is learned without waiting for a full
 * mini-batch. Asks again where the pause has another reason.
 */
export const quietAfter = <End>(
  deliveries: Observable<unknown>,
  maxWaitMs: number,
  whenQuiet: WhenQuiet<End>,
): Observable<End> =>
  new Observable(subscriber => {
    let last = 0
    // One timer at a time, which looks again later if deliveries have come meanwhile: most of them only note when they came.
    let timer: NodeJS.Timeout | undefined
    const wait = (ms: number): void => {
      timer = setTimeout(look, ms)
    }
    const look = async (): Promise<void> => {
      const left = last + maxWaitMs - performance.now()
      if (left > 0) return wait(Math.ceil(left))
      const asked = last
      let end: End | undefined
      try {
        end = await whenQuiet()
      } catch (error) {
        subscriber.error(error)
        return
      }
      if (subscriber.closed) return
      if (last !== asked || end === undefined) return wait(last === asked ? maxWaitMs : 0)
      timer = undefined
      subscriber.next(end)
    }
    subscriber.add(() => clearTimeout(timer))
    subscriber.add(
      deliveries.subscribe({
        next: () => {
          last = performance.now()
          if (timer === undefined) wait(maxWaitMs)
        },
        error: error => subscriber.error(error),
      }),
    )
  })
