import { Erasures, type ErasuresOptions } from '../erasures.ts'
import type { Forgotten } from '../forget.ts'

let asked = 0

/** Erases customers, and waits for it. @returns records removed, by topic */
export async function eraseNow(
  customers: readonly string[],
  options: Omit<ErasuresOptions, 'now' | 'newId'>,
): Promise<Forgotten> {
  const erasures = new Erasures({ ...options, now: Date.now, newId: () => `${++asked}` })
  const { id } = await erasures.ask(customers, 'ops')
  await erasures.settled()
  return (await erasures.find(id))!.erased
}
