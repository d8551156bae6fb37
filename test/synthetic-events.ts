import { random, standardNormal } from '@eddy/mixture'

/** NDJSON events of three well-separated segments in two features, the same for the same seed. */
export function syntheticEvents(count: number, seed = 1, first = 0): string {
  const next = random(seed)
  const centres = [
    [0, 0],
    [6, 0],
    [0, 6],
  ] as const
  let text = ''
  for (let n = 0; n < count; n++) {
    const [x, y] = centres[Math.floor(next() * 3)] as (typeof centres)[number]
    const features = { x: x + standardNormal(next), y: y + standardNormal(next) }
    text += `${JSON.stringify({ customer: `c${first + n}`, features })}\n`
  }
  return text
}
