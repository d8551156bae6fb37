import { debounceTime, filter, map, type Observable } from 'rxjs'

/**
 * Passes deliveries on, and tells `here` when none has come for a while: what has arrived is then learned without
 * waiting for a full mini-batch.
 * @param allowed asked at that moment; false where the pause has another reason, such as a replay that waits
 */
export const quietAfter = (
  deliveries: Observable<unknown>,
  maxWaitMs: number,
  allowed: () => boolean,
): Observable<'here'> =>
  deliveries.pipe(
    debounceTime(maxWaitMs),
    filter(allowed),
    map(() => 'here' as const),
  )
