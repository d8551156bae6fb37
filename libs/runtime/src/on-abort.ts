import { defer, firstValueFrom, fromEvent, type Observable, of } from 'rxjs'

/** Emits when the signal aborts, and at once where it has: a stop may come while a stage is still being put together. */
export const onAbort = (signal: AbortSignal): Observable<unknown> =>
  defer(() => (signal.aborted ? of(undefined) : fromEvent(signal, 'abort')))

/** Resolves when the signal aborts. */
export const untilAborted = async (signal: AbortSignal): Promise<void> => {
  await firstValueFrom(onAbort(signal))
}
