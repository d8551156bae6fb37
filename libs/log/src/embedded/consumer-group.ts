import type { Consumer, Cursor } from './consumer.ts'

/** The members of one group on one topic, and who has which partition. */
export class ConsumerGroup {
  readonly #partitions: number
  readonly #members: Consumer[] = []
  /** The last cursor of each partition, also after its release: a later one supersedes it. */
  readonly #cursors = new Map<number, Cursor>()
  #planned = false

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  get size(): number {
    return this.#members.length
  }

  join(member: Consumer): void {
    this.#members.push(member)
    this.plan()
  }

  leave(member: Consumer): void {
    const at = this.#members.indexOf(member)
    if (at >= 0) this.#members.splice(at, 1)
    this.plan()
  }

  /** Rebalances in the next turn of the event loop, so that members who come together share at once. */
  plan(): void {
    if (this.#planned) return
    this.#planned = true
    setImmediate(() => {
      this.#planned = false
      this.#rebalance()
    })
  }

  #rebalance(): void {
    const owners = new Map<number, Consumer>()
    for (const [partition, cursor] of this.#cursors) if (!cursor.released) owners.set(partition, cursor.consumer)
    const target = balance(this.#partitions, this.#members, owners)
    const granted = new Map<Consumer, Cursor[]>(this.#members.map(member => [member, []]))
    const changed = new Set<Consumer>()
    for (const [partition, member] of target) {
      const owner = owners.get(partition)
      const cursor = this.#cursors.get(partition)
      if (cursor && owner === member) {
        if (cursor.revoked) changed.add(member)
        cursor.revoked = false
        continue
      }
      // An owner that is in the middle of a delivery keeps the partition until it acknowledges, then plans again.
      if (cursor && !cursor.released) {
        changed.add(owner!)
        if (!owner!.revoke(cursor)) continue
      }
      if (cursor) cursor.superseded = true
      const fresh = member.grant(partition)
      this.#cursors.set(partition, fresh)
      granted.get(member)!.push(fresh)
      changed.add(member)
    }
    for (const member of this.#members) member.assigned(granted.get(member)!, changed.has(member))
  }
}

/** Shares the partitions evenly (they differ by at most one), moving as few as possible. */
export function balance<M>(
  partitions: number,
  members: readonly M[],
  owners: ReadonlyMap<number, M>,
): ReadonlyMap<number, M> {
  const target = new Map<number, M>()
  if (members.length === 0) return target
  const share = Math.floor(partitions / members.length)
  let extra = partitions % members.length
  const count = new Map(members.map(member => [member, 0]))
  const take = (partition: number, member: M): boolean => {
    const held = count.get(member)
    if (held === undefined || held > share || (held === share && extra === 0)) return false
    if (held === share) extra--
    count.set(member, held + 1)
    target.set(partition, member)
    return true
  }
  for (const [partition, owner] of owners) take(partition, owner)
  for (let partition = 0; partition < partitions; partition++)
    if (!target.has(partition)) {
      const fewest = [...count].reduce((a, b) => (b[1] < a[1] ? b : a))[0]
      take(partition, fewest)
    }
  return target
}
