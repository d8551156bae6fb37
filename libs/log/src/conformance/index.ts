import { afterAll, afterEach, beforeAll, beforeEach, describe } from 'vitest'
import type { EventLog } from '../event-log.ts'
import type { ConformanceSubject } from '../testing/harness.ts'
import { capabilities } from './capabilities.ts'
import { consuming } from './consuming.ts'
import { publishing } from './publishing.ts'
import { resuming } from './resuming.ts'
import { settling } from './settling.ts'
import { sharing } from './sharing.ts'
import { topics } from './topics.ts'

export type { ConformanceSubject } from '../testing/harness.ts'

/** What a group of tests works with: a log opened for each test. */
export interface Context {
  readonly log: EventLog
  /** Ends the log without committing anything, and opens it again over the same storage. */
  reopen(): Promise<EventLog>
  clean(topic: string): Promise<void>
}

/** The contract of EventLog as tests. Every adapter runs it: `eventLogConformance('embedded', () => …)`. */
export function eventLogConformance(name: string, create: () => Promise<ConformanceSubject>): void {
  describe(`${name} keeps the contract of EventLog`, () => {
    let subject: ConformanceSubject
    let log: EventLog
    const context: Context = {
      get log() {
        return log
      },
      async reopen() {
        await log.close()
        log = await subject.open()
        return log
      },
      clean: topic => subject.clean(log, topic),
    }
    beforeAll(async () => {
      subject = await create()
    })
    afterAll(async () => {
      await subject?.dispose()
    })
    beforeEach(async () => {
      log = await subject.open()
    })
    afterEach(async () => {
      await log?.close()
    })
    publishing(context)
    consuming(context)
    sharing(context)
    settling(context)
    topics(context)
    capabilities(context)
    resuming(context)
  })
}
