/** A request that cannot be taken, with the status that says so. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly statusCode: 400 | 413 | 415 | 422 | 501

  constructor(statusCode: 400 | 413 | 415 | 422 | 501, message: string) {
    super(message)
    this.statusCode = statusCode
  }
}
