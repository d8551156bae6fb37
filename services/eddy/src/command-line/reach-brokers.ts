import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { LogError } from '@eddy/log'

/** How long brokers are waited for, milliseconds, and after how long that is said. */
export interface Patience {
  readonly tellAfterMs: number
  readonly giveUpAfterMs: number
}

/** Of a check that says nothing before it ends: a broker that is well takes a connection at once. */
export const SHORT_PATIENCE: Patience = { tellAfterMs: 10_000, giveUpAfterMs: 1_400 }

const PATIENCE: Patience = { tellAfterMs: 2_000, giveUpAfterMs: 20_000 }
const RETRY_MS = 500

/**
 * Waits until one of the brokers takes a connection: a client that retries for long says nothing meanwhile.
 * @param brokers host:port
 * @param tell told once, where none answers soon
 * @throws {LogError} with what each of them said, when the time is over
 */
export async function reachBrokers(
  brokers: readonly string[],
  tell: (message: string) => void,
  { tellAfterMs, giveUpAfterMs }: Patience = PATIENCE,
): Promise<void> {
  const names = brokers.join(', ')
  const telling = setTimeout(
    () => tell(`no answer from ${names} yet; trying for ${Math.round(giveUpAfterMs / 1000)} s.`),
    tellAfterMs,
  )
  const deadline = AbortSignal.timeout(giveUpAfterMs)
  let reasons: readonly string[] = []
  try {
    while (!deadline.aborted) {
      const said = await Promise.all(brokers.map(broker => refusalOf(broker, deadline)))
      if (said.includes(undefined)) return
      reasons = said as string[]
      await pause(RETRY_MS, undefined, { signal: deadline }).catch(() => {})
    }
  } finally {
    clearTimeout(telling)
  }
  const why = brokers.map((broker, i) => `${broker}: ${reasons[i] ?? 'no answer'}`).join('; ')
  throw new LogError(
    `brokers: expected one to take a connection within ${giveUpAfterMs / 1000} s, got ${why}. Check --brokers and whether they run.`,
  )
}

/** Why a broker takes no connection; undefined where it does. */
async function refusalOf(broker: string, signal: AbortSignal): Promise<string | undefined> {
  const at = broker.lastIndexOf(':')
  const socket = connect({ host: broker.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(broker.slice(at + 1)) })
  try {
    await once(socket, 'connect', { signal })
    return undefined
  } catch (error) {
    return signal.aborted ? 'no answer' : ((error as NodeJS.ErrnoException).code ?? (error as Error).message)
  } finally {
    socket.destroy()
  }
}
