import { expect, it } from 'vitest'
import { counted, plural } from './counted.ts'

it('says numbers of things as people do', () => {
  expect(
    [
      [0, 'event'],
      [1, 'event'],
      [69_659, 'event'],
      [1n, 'label'],
      [2n, 'class'],
      [2, 'entry'],
      [2, 'day'],
      [1, 'dead letter'],
    ].map(([count, word]) => counted(count as number, word as string)),
  ).toEqual(['0 events', '1 event', '69,659 events', '1 label', '2 classes', '2 entries', '2 days', '1 dead letter'])
  expect([plural(1, 'is'), plural(2, 'is'), plural(3, 'was')]).toEqual(['is', 'are', 'were'])
})
