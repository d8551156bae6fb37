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

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be written
const controls = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g

/**
 * Text from data with its control characters (C0, C1, DEL) written as `\u001b`, which is the same text in JSON: a terminal would obey them.
 * A line keeps its ends and tabs.
 */
const harmless = (text: string): string =>
  text.replace(controls, control => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** As `harmless`, on one line. */
export const oneLine = (text: string): string => harmless(text.replaceAll('\n', '\\n'))

/** Writes data to stdout, and waits while the reader is slow. */
export async function print(terminal: Terminal, text: string): Promise<void> {
  await draw(terminal, harmless(text))
}

/** Writes what a screen is drawn with, as it is: of data only what is `harmless`. */
export async function draw(terminal: Terminal, text: string): Promise<void> {
  if (!terminal.stdout.write(text)) await once(terminal.stdout, 'drain')
}

/** Writes one message line to stderr. */
export function note(terminal: Terminal, text: string): void {
  terminal.stderr.write(`${harmless(text)}\n`)
}
