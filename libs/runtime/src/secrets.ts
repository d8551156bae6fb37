/** Names whose values are never told, neither in a log line nor in a message, wherever they come from. */
export const secrets = ['password', 'token', 'secret', 'key', 'sasl', 'authorization']

/** What is told instead. */
export const CENSOR = '[redacted]'
