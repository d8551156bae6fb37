import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventLogConformance } from '@eddy/log/conformance'
import { type EmbeddedLog, openEmbeddedLog } from './embedded-log.ts'

eventLogConformance('embedded', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'eddy-log-'))
  return {
    open: async () => openEmbeddedLog(directory),
    clean: log => (log as EmbeddedLog).maintain(),
    dispose: () => rm(directory, { recursive: true }),
  }
})
