import { LogError } from '@eddy/log'
import { said } from './said.ts'

/** An error of the client library as one of the log. */
export function explain(error: unknown, what: string): LogError {
  if (error instanceof LogError) return error
  return new LogError(
    `${what}: Kafka said "${said(error)}". Check the broker's address, its log and this client's rights.`,
    {
      cause: error,
      code: isDenied(error) ? 'DENIED' : undefined,
    },
  )
}

/** Whether the brokers refused for want of a right: libraries name their error codes `type` (kafkajs) or `apiId`. */
function isDenied(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const { type, apiId, cause, errors } = error as Error & Record<'type' | 'apiId' | 'errors', unknown>
  const denied = (code: unknown): boolean => typeof code === 'string' && code.endsWith('_AUTHORIZATION_FAILED')
  return denied(type) || denied(apiId) || isDenied(cause) || (Array.isArray(errors) && errors.some(isDenied))
}
