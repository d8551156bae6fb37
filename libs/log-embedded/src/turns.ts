const waiting: (() => void)[] = []

/**
 * Does the work in a turn of the event loop to come, in the order asked and one piece a turn (with all that follows from it at once), so
 * that timers, sockets and the writer's answers never wait for more than that.
 */
export function inTurn(work: () => void): void {
  if (waiting.push(work) === 1) setImmediate(turn)
}

/** Whether work waits for its turn. */
export const isWorkWaiting = (): boolean => waiting.length > 0

function turn(): void {
  const work = waiting[0]!
  try {
    work()
  } finally {
    waiting.shift()
    if (waiting.length > 0) setImmediate(turn)
  }
}
