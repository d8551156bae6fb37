/** The values of a source until the signal aborts, even where the source is silent, as standard input may be. */
export async function* untilSignal<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T> {
  const iterator = source[Symbol.asyncIterator]()
  try {
    while (!signal.aborted) {
      const next = await nextOf(iterator, signal)
      if (next === undefined || next.done === true) return
      yield next.value
    }
  } finally {
    // Not awaited: a generator ends only after the value that it waits for.
    iterator.return?.().catch(() => {})
  }
}

/** The next value, or undefined where the signal comes first. */
function nextOf<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T> | undefined> {
  return new Promise((resolve, reject) => {
    const stop = (): void => resolve(undefined)
    signal.addEventListener('abort', stop, { once: true })
    iterator
      .next()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })
}
