import type { Snapshot } from '@eddy/messages'
import {
  type Block,
  empty,
  type Kernel,
  type Matching,
  type Model,
  type ModelSpecification,
  matchComponents,
  perUnitWeight,
  scale,
  specifiedModel,
  squaredSum,
} from '@eddy/mixture'
import type { EventRange, LearnedEvents } from './learned-events.ts'

/** A new component goes on as the segment it has at least so much in common with. */
const SAME_SEGMENT = 0.3

/** A snapshot with other components. */
export interface Replaced {
  readonly snapshot: Snapshot
  /** ids of segments that came and went */
  readonly changed: { readonly born: readonly string[]; readonly gone: readonly string[] }
  readonly matching: Matching
}

/** The same events as the old and as the new components see them: each has its own features. */
export interface Views {
  readonly before: (block: Block) => Block
  readonly after: (block: Block) => Block
}

/** Both have the same features. */
export const sameView: Views = { before: block => block, after: block => block }

/**
 * A snapshot whose components are others from now on. All events of the ranges go through one E-step under the new ones, so that what was learned
 * before counts for as much as ever; a new component keeps the segment of the old one that it shares most events with.
 * @param sample events by which they are matched
 */
export async function replacedComponents(
  snapshot: Snapshot,
  { specification, parameters: found }: Pick<Model, 'specification' | 'parameters'>,
  events: LearnedEvents,
  ranges: readonly EventRange[],
  { sample, views = sameView, kernel }: { readonly sample: Block; readonly views?: Views; readonly kernel?: Kernel },
): Promise<Replaced> {
  const { mixture, expectation } = specifiedModel(specification, kernel)
  const statistics = empty(mixture)
  let weight = 0
  let squares = 0
  await events.visit(ranges, (part, w) => {
    weight += expectation(found, views.after(part), w, statistics).weight
    squares += squaredSum(w, part.rows)
  })
  scale(statistics, 1 / weight)
  const effectiveSampleSize = weight ** 2 / squares
  const prior = perUnitWeight(specification.prior, effectiveSampleSize)
  const parameters = mixture.maximise(statistics, prior, found)
  const epoch = snapshot.version + 1n
  const old = {
    specification: JSON.parse(snapshot.specification) as ModelSpecification,
    parameters: snapshot.parameters,
  }
  const after = views.after(sample)
  const matching = matchComponents(old, { specification, parameters }, after, kernel, views.before(sample))
  let { segmentsBorn } = snapshot
  if (segmentsBorn === 0) segmentsBorn = snapshot.segments.length
  const born: string[] = []
  const segments = Array.from(matching.earlier, (j, k) => {
    if (matching.overlap[k]! >= SAME_SEGMENT) return snapshot.segments[j]!
    const id = `s${++segmentsBorn}`
    born.push(id)
    return { id, since: epoch }
  })
  const kept = new Set(segments.map(({ id }) => id))
  const gone = snapshot.segments.map(({ id }) => id).filter(id => !kept.has(id))
  const learned = { parameters, statistics, effectiveSampleSize, weight, judgedWeight: weight, surprise: 0 }
  return {
    snapshot: { ...snapshot, specification: JSON.stringify(specification), ...learned, segments, segmentsBorn, epoch },
    changed: { born, gone },
    matching,
  }
}
