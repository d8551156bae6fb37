import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'

/** Where a command reads and writes: data on stdout, messages on stderr. */
export interface Terminal {
  readonly stdin: Readable
  readonly stdout: Writable
  readonly stderr: Writable & { readonly isTTY?: boolean }
  readonly environment: Readonly<Record<string, string | undefined>>
}

export const processTerminal: Terminal = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
}

/** Writes data to stdout, and waits while the reader is slow. */
export async function print(terminal: Terminal, text: string): Promise<void> {
  if (!terminal.stdout.write(text)) await once(terminal.stdout, 'drain')
}

/** Writes one message line to stderr. */
export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(text + '\n')
}
