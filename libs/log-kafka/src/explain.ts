import { LogError } from '@eddy/log'

/** An error of the client library as one of the log. */
export function explain(error: unknown, what: string): LogError {
  if (error instanceof LogError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new LogError(
    `${what}: Kafka said "${message}". Check the broker's address, its log and this client's rights.`,
    {
      cause: error,
    },
  )
}
