import { type EndingSignal, exitCodeOfSignal } from '@eddy/runtime'
import { CommanderError } from 'commander'

/** Exit codes: part of the command line's contract. */
export const exitCode = { ok: 0, failure: 1, usage: 2, configuration: 78, interrupted: 130 } as const

/** A wrong use of the command line: exit code 2, with a pointer to the help. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** A signal ended the command before it had done its work: exit code 130 for Ctrl-C, 143 for SIGTERM. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError'
  readonly signal: EndingSignal

  /** @param message empty where the command has told of it already */
  constructor(signal: EndingSignal, message = '') {
    super(message)
    this.signal = signal
  }
}

/** Exit code of what a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.ok : exitCode.usage
  if (!(error instanceof Error)) return exitCode.failure
  switch (error.name) {
    case 'UsageError':
      return exitCode.usage
    case 'ConfigurationError':
      return exitCode.configuration
    case 'InterruptedError':
      return exitCodeOfSignal((error as InterruptedError).signal)
    case 'AbortError':
      return exitCode.interrupted
    default:
      return exitCode.failure
  }
}

/** Errors whose message is written for the user; of any other the stack is worth seeing. */
const explained = new Set([
  'UsageError',
  'InputError',
  'ConfigurationError',
  'MessageError',
  'LogError',
  'RegistryError',
  'ModelError',
  'MixtureError',
  'KernelError',
  'HttpError',
  'InterruptedError',
  'AbortError',
])

/** What stderr shows of an error. */
export function describeError(error: unknown, debug: boolean): string {
  if (!(error instanceof Error)) return `eddy: ${String(error)}`
  const system = typeof (error as NodeJS.ErrnoException).syscall === 'string'
  if (!debug && (explained.has(error.name) || system)) return `eddy: ${error.message}`
  return `eddy: ${error.stack ?? error.message}`
}
