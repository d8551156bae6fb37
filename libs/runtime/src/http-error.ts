/** HTTP could not be served, or nobody answered as expected: the message is for whoever ran the command. */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly code: 'PORT_TAKEN' | 'CANNOT_LISTEN' | 'UNREACHABLE' | 'REFUSED'

  constructor(code: HttpError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
