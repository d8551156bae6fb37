import { expect, test } from 'vitest'
import { murmur2, partitionOfKey } from './partition-of-key.ts'

// Expected values: org.apache.kafka.common.utils.UtilsTest.testMurmur2 (Apache Kafka 4.x).
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])('murmur2 of %s is what Java computes', (key, hash) => {
  expect(murmur2(Buffer.from(key))).toBe(hash)
})

test('partitions are within range for every key length', () => {
  for (let length = 0; length < 64; length++) {
    const partition = partitionOfKey(new Uint8Array(length).fill(length * 37), 7)
    expect(partition).toBeGreaterThanOrEqual(0)
    expect(partition).toBeLessThan(7)
  }
})
