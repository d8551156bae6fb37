import { endedAtBound, type Model, treatmentOf } from '@eddy/mixture'

/** How numbers entered a model whose treatment was decided for them, and where a declared bend found no end: one sentence each. */
export function treatmentNotes({ specification, parameters }: Model): string[] {
  const decided = specification.features.flatMap(feature => {
    if (feature.treatment === undefined) return []
    const { transform, atom, resolution } = treatmentOf(feature)
    const parts = [
      ...(transform === 'none' ? [] : [transform]),
      ...(atom === undefined ? [] : [`${atom} apart`]),
      ...(resolution === undefined ? [] : [`in cells of ${Number(resolution.toPrecision(3))}`]),
    ]
    return parts.length === 0 ? [] : [`${feature.name} (${parts.join(', ')})`]
  })
  const unended = specification.features.flatMap(({ name, transform }, j) =>
    transform === 'yeo-johnson' && endedAtBound(parameters.transformPower![j]!) ? [name] : [],
  )
  return [
    ...(decided.length === 0 ? [] : [`decided by likelihood: ${decided.join(', ')}; --transform none leaves them be.`]),
    ...unended.map(
      name =>
        `${name}: the search for Yeo–Johnson's λ ended at its bound (${parameters.transformPower![
          specification.features.findIndex(feature => feature.name === name)
        ]!.toPrecision(3)}): these numbers do not tell it. Leave --transform at auto, or take a larger unit.`,
    ),
  ]
}
