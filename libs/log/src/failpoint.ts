/** Where a process can be made to die; each on its way from a delivery to the next. */
export type Failpoint =
  /** a partition has been taken, and its predecessor fenced off; where to begin is not known yet */
  | 'taken'
  /** a stage has something to publish */
  | 'before-publish'
  /** the records are in the open transaction */
  | 'records-sent'
  /** the position is in the open transaction */
  | 'position-sent'
  /** the transaction is committed; the stage has not heard of it */
  | 'committed'
  /** a stage has published; its deliveries are not acknowledged */
  | 'after-publish'

/** EDDY_FAILPOINT, `name:n`: die as by kill -9 at the n-th passage. For tests of recovery. */
const [armed, passages] = (process.env.EDDY_FAILPOINT ?? '').split(':')
let left = Number(passages)

/** Does nothing unless this failpoint is armed. */
export function failpoint(name: Failpoint): void {
  if (name === armed && --left === 0) process.kill(process.pid, 'SIGKILL')
}
