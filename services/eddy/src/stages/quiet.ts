import type { InputEnd } from '@eddy/stepwise-em'
import { concatMap, filter, type Observable, switchMap, take, timer } from 'rxjs'

/** Where the input ends, when nothing has come for a while; undefined where the pause has another reason, such as a replay that waits. */
export type WhenQuiet = () => Promise<InputEnd | undefined>

/**
 * Tells where the input ends when no delivery has come for a while, so that what has arrived is learned without waiting for a full
 * mini-batch. Asks again where the pause has another reason.
 */
export const quietAfter = (
  deliveries: Observable<unknown>,
  maxWaitMs: number,
  whenQuiet: WhenQuiet,
): Observable<InputEnd> =>
  deliveries.pipe(
    switchMap(() =>
      timer(maxWaitMs, maxWaitMs).pipe(
        concatMap(whenQuiet),
        filter(end => end !== undefined),
        take(1),
      ),
    ),
  )
