/** Bytes or a value that is not a message of the expected kind. Says what was expected, what came, and what to do. */
export class MessageError extends Error {
  override readonly name = 'MessageError'
}
