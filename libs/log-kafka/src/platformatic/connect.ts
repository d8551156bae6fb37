import { LogError } from '@eddy/log'
import { AuthenticationError, type BaseOptions, Connection } from '@platformatic/kafka'

/**
 * A connection to the first of the brokers that answers.
 * @throws LogError when none does, or when they do not let this client in
 */
export async function connect(brokers: readonly string[], options: BaseOptions): Promise<Connection> {
  let cause: unknown
  for (const broker of brokers) {
    try {
      return await connectTo(broker, options)
    } catch (error) {
      cause = error
    }
  }
  throw new LogError(
    `brokers: expected one of ${brokers.join(', ')} to let this client in, got "${causes(cause).at(-1)?.message}". Check the addresses, TLS and the credentials.`,
    { cause },
  )
}

/**
 * Whether the brokers that answer let this client in: the library would ask for more than a minute, and not say why. A broker that does not
 * answer may do so later.
 * @throws LogError when one refuses the credentials, or is not trusted
 */
export async function enter(brokers: readonly string[], options: BaseOptions): Promise<void> {
  try {
    await (await connect(brokers, options)).close()
  } catch (error) {
    if (causes(error).some(isRefusal)) throw error
  }
}

async function connectTo(broker: string, { clientId, connectTimeout, tls, sasl }: BaseOptions): Promise<Connection> {
  const at = broker.lastIndexOf(':')
  const connection = new Connection(clientId, {
    ...(connectTimeout !== undefined && { connectTimeout }),
    ...(tls && { tls }),
    ...(sasl && { sasl }),
  })
  await connection.connect(broker.slice(0, at), Number(broker.slice(at + 1)))
  return connection
}

/** An error and what led to it, the first cause last. */
function causes(error: unknown): Error[] {
  if (!(error instanceof Error)) return []
  return [error, ...causes(error.cause ?? (error as Partial<AggregateError>).errors?.[0])]
}

const isRefusal = (error: Error): boolean =>
  error instanceof AuthenticationError ||
  /CERT|SIGNATURE|ALTNAME|ERR_SSL|ERR_TLS/.test((error as NodeJS.ErrnoException).code ?? '')
