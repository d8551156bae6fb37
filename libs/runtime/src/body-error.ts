/** A request that cannot be taken as it is, with the status that says so. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly statusCode: 400 | 408 | 413 | 415 | 422 | 501 | 503

  constructor(statusCode: BodyError['statusCode'], message: string) {
    super(message)
    this.statusCode = statusCode
  }
}
