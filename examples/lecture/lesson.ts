/** What a script of the lecture gives: pictures to write, numbers to check, and what it shows in words. */
export interface Lesson {
  /** file name → SVG text or PNG bytes */
  readonly pictures: Readonly<Record<string, string | Uint8Array>>
  /** results that a test compares with the closed form or the published value */
  readonly numbers: Readonly<Record<string, number>>
  /** a few lines for the terminal */
  readonly summary: string
}
