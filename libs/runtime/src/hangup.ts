import { closeSync, openSync } from 'node:fs'

/**
 * Calls back on each SIGHUP. But where the terminal that the process was started from has gone, which is what the signal says by its name,
 * it ends the process as ever: there is nobody left to talk to.
 * @returns what ends it
 */
export function onHangup(callback: () => void): () => void {
  const hadTerminal = hasTerminal()
  const stop = (): void => void process.off('SIGHUP', handler)
  const handler = (): void => {
    if (hadTerminal && !hasTerminal()) {
      stop()
      process.kill(process.pid, 'SIGHUP')
    } else callback()
  }
  process.on('SIGHUP', handler)
  return stop
}

function hasTerminal(): boolean {
  try {
    closeSync(openSync('/dev/tty', 'r'))
    return true
  } catch {
    return false
  }
}
