const irregular: Readonly<Record<string, string>> = {
  class: 'classes',
  is: 'are',
  was: 'were',
  has: 'have',
  tells: 'tell',
}

/** The form of a word that goes with a number: `event` of 1, `events` of any other. */
export function plural(count: number | bigint, word: string): string {
  if (Number(count) === 1) return word
  return irregular[word] ?? (/[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`)
}

/** A number of things for people: `1 event`, `69,659 events`. */
export const counted = (count: number | bigint, word: string): string =>
  `${count.toLocaleString('en-US')} ${plural(count, word)}`
