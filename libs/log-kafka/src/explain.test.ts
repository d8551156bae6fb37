import { LogError } from '@eddy/log'
import { expect, test } from 'vitest'
import { explain } from './explain.ts'

test('a right that is missing has a code, however deep and by whichever client it is told', () => {
  const kafkajs = Object.assign(new Error('Not authorized'), { type: 'TOPIC_AUTHORIZATION_FAILED' })
  const platformatic = Object.assign(new Error('failed'), {
    errors: [Object.assign(new Error('no'), { apiId: 'GROUP_AUTHORIZATION_FAILED' })],
  })
  for (const error of [kafkajs, platformatic, new Error('gave up', { cause: kafkajs })])
    expect(explain(error, 't')).toMatchObject({ name: 'LogError', code: 'DENIED', cause: error })
  expect(explain(new Error('TOPIC_AUTHORIZATION_FAILED'), 't').code).toBeUndefined()
  const own = new LogError('t: expected one', { code: 'TOPIC_MISSING' })
  expect(explain(own, 'u')).toBe(own)
})

test('many attempts that failed are told with the reason of the last', () => {
  const failed = new AggregateError([new Error('first'), new Error('Cannot find broker')], 'fetch failed 2 times.')
  expect(explain(failed, 't').message).toContain('"fetch failed 2 times. Last: Cannot find broker"')
})
