/** Shares partitions evenly among members (shares differ by at most one), moving as few as possible. */
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
