import { balance } from '@eddy/log/adapter'
import type { Cursor, Member } from './embedded-delivery.ts'

/** The members of one group on one topic, and who has which partition. */
export class ConsumerGroup {
  readonly #partitions: number
  readonly #members: Member[] = []
  /** The last cursor of each partition, also after its release: a later one supersedes it. */
  readonly #cursors = new Map<number, Cursor>()
  #planned = false

  constructor(partitions: number) {
    this.#partitions = partitions
  }

  get size(): number {
    return this.#members.length
  }

  join(member: Member): void {
    this.#members.push(member)
    this.plan()
  }

  leave(member: Member): void {
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
    const owners = new Map<number, Member>()
    for (const [partition, cursor] of this.#cursors) if (!cursor.released) owners.set(partition, cursor.consumer)
    const target = balance(this.#partitions, this.#members, owners)
    const granted = new Map<Member, Cursor[]>(this.#members.map(member => [member, []]))
    const changed = new Set<Member>()
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
