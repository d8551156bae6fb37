const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Text → UTF-8 bytes. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text)

/** UTF-8 bytes → text; broken sequences become U+FFFD, for showing to people. */
export const textFromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes)
