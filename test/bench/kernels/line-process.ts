import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A child that answers each line with a line. */
export interface LineProcess {
  /** its first line */
  readonly greeting: string
  /** @throws if the child ends instead of answering */
  ask(line: string): Promise<string>
  close(): void
}

/** Starts a child and waits for its first line. @throws with the child's messages if it ends before */
export async function startLineProcess(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<LineProcess> {
  const child: ChildProcess = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  let messages = ''
  child.stderr!.on('data', data => {
    messages += data
  })
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  const ended = new Promise<never>((_, reject) => {
    child.on('error', reject)
    child.on('close', code => reject(new Error(`${command}: ended with ${code}\n${messages}`)))
  })
  ended.catch(() => {})
  const next = async (): Promise<string> => {
    const { value, done } = await Promise.race([lines.next(), ended])
    if (done) return ended
    return value
  }
  return {
    greeting: await next(),
    ask(line) {
      child.stdin!.write(`${line}\n`)
      return next()
    },
    close: () => child.stdin!.end(),
  }
}
