/** Names whose values are never told, neither in a log line nor in a message, wherever they come from. */
export const secrets = ['password', 'token', 'metricsToken', 'secret', 'key', 'sasl', 'authorization']

/** Whether a value may not be told, by the name it has. */
export const isSecret = (name: string): boolean => secrets.includes(name)

/** What is told instead. */
export const CENSOR = '[redacted]'

/** JSON for people: as it is, but for what may not be told. What holds a secret is shown but for the secret. */
export const redactedJson = (value: unknown): string =>
  JSON.stringify(value, (name, inner: unknown) => (typeof inner === 'string' && isSecret(name) ? CENSOR : inner), 2)
