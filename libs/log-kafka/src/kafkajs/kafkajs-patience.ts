import { setTimeout } from 'node:timers/promises'

/** How long an error that passes may last, milliseconds. */
export const PATIENCE_MS = 15_000
export const RETRY_MS = 100
const UNREACHABLE = new Set(['KafkaJSConnectionError', 'KafkaJSConnectionClosedError'])

/** Asks again at errors that pass, where the library gives up at the first: for what does no harm when it is asked twice. */
export async function patiently<T>(ask: () => Promise<T>, givenUp = (): boolean => false): Promise<T> {
  for (const deadline = performance.now() + PATIENCE_MS; ; await setTimeout(RETRY_MS)) {
    try {
      return await ask()
    } catch (error) {
      if (!passes(error) || givenUp() || performance.now() > deadline) throw error
    }
  }
}

/** A broker is out of reach, or the coordinator has moved. */
function passes(error: unknown): boolean {
  const { name, retriable, cause } = error as { name?: string; retriable?: boolean; cause?: unknown }
  return retriable === true || UNREACHABLE.has(name ?? '') || (cause !== undefined && passes(cause))
}
