import { describe, expect, it } from 'vitest'
import { cloudEventHeaders, cloudEventOf, traceContext } from './headers.ts'
import { textFromUtf8, utf8 } from './text.ts'

const parent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'

describe('headers', () => {
  it('are CloudEvents 1.0 in binary mode, with the trace of the cause', () => {
    const make = cloudEventHeaders({ source: '/eddy/scoring', type: 'eddy.label' })
    const headers = make('eddy.features.v1-0-17', { traceparent: utf8(parent), other: utf8('x') })
    expect(Object.entries(headers).map(([name, value]) => [name, textFromUtf8(value)])).toEqual([
      ['ce_specversion', '1.0'],
      ['ce_id', 'eddy.features.v1-0-17'],
      ['ce_source', '/eddy/scoring'],
      ['ce_type', 'eddy.label'],
      ['content-type', 'application/avro'],
      ['traceparent', parent],
    ])
    expect(cloudEventOf(headers)).toEqual({ id: 'eddy.features.v1-0-17', source: '/eddy/scoring', type: 'eddy.label' })
    expect(cloudEventOf({})).toBeUndefined()
  })

  it('pass a well-formed trace context through and nothing else', () => {
    const state = utf8('vendor=1')
    expect(traceContext({ traceparent: utf8(parent), tracestate: state })).toEqual({
      traceparent: utf8(parent),
      tracestate: state,
    })
    for (const bad of [
      '',
      'ff' + parent.slice(2),
      parent.toUpperCase(),
      parent.replace(/b7.*-/, '0000000000000000-'),
    ]) {
      expect(traceContext({ traceparent: utf8(bad), tracestate: state })).toEqual({})
    }
    expect(traceContext({ tracestate: state })).toEqual({})
  })
})
