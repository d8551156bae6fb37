/**
 * Looks at one promise again and again. `Promise.race` would hang something on the promise at each look, and it stays there until the promise
 * settles: with a stream that is quiet for days that is a leak. Here one thing hangs on it, however often it is looked at.
 * @returns a look: the value, or undefined where it takes longer than so many milliseconds; rejects as the promise does
 */
export function looksAt<T>(promise: Promise<T>): (patienceMs: number) => Promise<T | undefined> {
  let settled = false
  let wake = (): void => {}
  const settle = (): void => {
    settled = true
    wake()
  }
  promise.then(settle, settle)
  return async patienceMs => {
    if (!settled)
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, patienceMs)
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    return settled ? promise : undefined
  }
}
