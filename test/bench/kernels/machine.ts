import { execFileSync } from 'node:child_process'
import { availableParallelism, cpus, loadavg, release, totalmem, type } from 'node:os'

/** The machine and the versions a result belongs to, one line each. */
export function describeMachine(
  versions: Readonly<Record<string, string>>,
  descriptions: Readonly<Record<string, string>>,
): string[] {
  const compiler = (() => {
    try {
      return execFileSync('cc', ['--version'], { encoding: 'utf8' }).split('\n')[0]!
    } catch {
      return 'none'
    }
  })()
  const packages = [
    'scikit-learn',
    'numpy',
    'scipy',
    'confluent-kafka',
    'betula-cluster',
    'river',
    'pomegranate',
    'torch',
  ]
  return [
    `processor: ${cpus()[0]?.model ?? 'unknown'}, ${availableParallelism()} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    `system: ${type()} ${release()}; load when measured: ${loadavg()
      .map(value => value.toFixed(2))
      .join(' ')}`,
    `Node ${process.versions.node} (V8 ${process.versions.v8}); C: ${compiler}, -O3 -march=native${'C' in descriptions ? `, ${vectorBits(descriptions.C!)}-bit vectors` : ''}`,
    `Python: ${packages
      .filter(name => name in versions)
      .map(name => `${name} ${versions[name]}`)
      .join(', ')}`,
    ...('scikit-learn' in descriptions ? [`scikit-learn's BLAS: ${descriptions['scikit-learn']}`] : []),
  ]
}

/** Of limit.c, from its description. */
export const vectorBits = (description: string): number =>
  (JSON.parse(description) as { readonly vectorBits: number }).vectorBits
