import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MessageError, type Snapshot, snapshotCodec } from '@eddy/messages'
import { InputError } from '@eddy/records'

/**
 * The model that `eddy relearn` has learned beside the stored one, until it is promoted or dropped. It has the version, the epoch and the ledger
 * of the snapshot beside which it was learned. It lies beside the log, not in it, so that it can be learned while another process writes there.
 */
export class CandidateFile {
  readonly path: string

  constructor(directory: string) {
    this.path = join(directory, 'relearned.avro')
  }

  /** The next start finds all of it, or what was there before. */
  keep(candidate: Snapshot): void {
    const unfinished = `${this.path}.unfinished`
    writeFileSync(unfinished, snapshotCodec.encode(candidate), { mode: 0o600 })
    renameSync(unfinished, this.path)
  }

  /** @throws InputError where there is none that can be read */
  read(): Snapshot {
    this.#expectOne()
    try {
      return snapshotCodec.decode(readFileSync(this.path))
    } catch (error) {
      if (!(error instanceof MessageError)) throw error
      throw new InputError(`${this.path}: expected a model, got damaged bytes. Run \`eddy relearn\` once more.`)
    }
  }

  /** @throws InputError where there is none */
  drop(): void {
    this.#expectOne()
    rmSync(this.path)
  }

  #expectOne(): void {
    if (!existsSync(this.path))
      throw new InputError(
        `${this.path}: expected a model that was learned anew, got none. Run \`eddy relearn\` first.`,
      )
  }
}
