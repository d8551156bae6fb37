import { open } from 'node:fs/promises'
import { InputError } from '../input-error.ts'
import { batchSize, type InputRecord, type OnInvalid } from '../input-record.ts'
import { recordOf } from '../ndjson.ts'
import { longestLine } from '../split-lines.ts'
import { database, literal, rowsOf } from './database.ts'

/**
 * The objects of a file that is one JSON array, each as its own text, so that numbers keep their digits. Their number stands for the line.
 * @throws InputError with what is wrong with the array
 */
export async function* jsonArray(
  path: string,
  onInvalid: OnInvalid,
  onProgress: (share: number) => void,
): AsyncGenerator<readonly InputRecord[]> {
  const query = `SELECT CAST(json AS VARCHAR) FROM read_json_objects(${literal(path)}, format = 'array', compression = 'uncompressed', maximum_object_size = ${longestLine})`
  // An array that was cut between two objects is whole to DuckDB.
  if (!(await endsWithBracket(path)))
    throw new InputError(`${path}: expected a JSON array with its ] at the end, got none. Is the file whole?`)
  const connection = await database()
  let number = 0
  let batch: InputRecord[] = []
  try {
    for await (const { chunk, count } of rowsOf(connection, query)) {
      const texts = chunk.getColumnVector(1)
      for (let row = 0; row < count; row++) {
        try {
          batch.push(recordOf(texts.getItem(row) as string, ++number, path))
        } catch (error) {
          if (!(error instanceof InputError)) throw error
          onInvalid(error)
        }
        if (batch.length < batchSize) continue
        yield batch
        batch = []
      }
      onProgress(connection.progress.percentage / 100)
    }
  } catch (error) {
    if (error instanceof InputError) throw error
    throw new InputError(`${path}: expected a JSON array of objects, got "${(error as Error).message.split('\n')[0]}".`)
  }
  if (batch.length > 0) yield batch
}

async function endsWithBracket(path: string): Promise<boolean> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(4096), position: Math.max(0, size - 4096) })
    return buffer.subarray(0, bytesRead).toString('latin1').trimEnd().endsWith(']')
  } finally {
    await file.close()
  }
}
