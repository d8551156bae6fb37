/** Which partitions each stage of this process holds, as its consumer group last said. */
export class Assignments {
  readonly #held = new Map<string, ReadonlySet<number>>()

  /** To be told a stage's partitions whenever they change. */
  readonly of =
    (stage: string) =>
    (partitions: readonly number[]): void => {
      this.#held.set(stage, new Set(partitions))
    }

  /** undefined while the group has not said */
  holds(stage: string, partition: number): boolean | undefined {
    return this.#held.get(stage)?.has(partition)
  }
}
