import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

/**
 * A Python with scikit-learn: `PYTHON` or python3 if it has it, otherwise a virtual environment made for this run.
 * @param folder where to make it
 */
export function pythonWithSklearn(folder: string): string {
  const given = process.env.PYTHON ?? 'python3'
  try {
    execFileSync(given, ['-c', 'import sklearn'], { stdio: 'ignore' })
    return given
  } catch {
    execFileSync(given, ['-m', 'venv', join(folder, 'venv')])
    const python = join(folder, 'venv/bin/python')
    execFileSync(python, ['-m', 'pip', 'install', '-q', 'scikit-learn==1.9.1'])
    return python
  }
}
