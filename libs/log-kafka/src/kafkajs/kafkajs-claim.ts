/**
 * Claims a change of the library for whoever asks first: its classes are the same for all in a process, even for several copies of this module.
 * @param target what is changed; it keeps the mark
 * @param change its name
 * @returns false when it was claimed before
 */
export function claim(target: object, change: string): boolean {
  const mark = Symbol.for(`eddy.kafkajs.${change}`)
  if (Object.hasOwn(target, mark)) return false
  Object.defineProperty(target, mark, { value: true })
  return true
}
