import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.unstubAllGlobals()
  vi.resetModules()
})

const engine = () => import('./engine.ts')

test('the compiled kernel runs here, and can be switched off', async () => {
  const { kernelInfo, instantiate } = await engine()
  expect(kernelInfo()).toEqual({
    implementation: 'webassembly',
    detail: expect.stringMatching(/^SIMD f64, \d+ bytes$/),
  })
  expect(kernelInfo('webassembly-f32').detail).toMatch(/bytes, scoring of full covariances in f32$/)
  expect(kernelInfo('typescript')).toEqual({ implementation: 'typescript', detail: 'chosen by option' })
  expect(instantiate('typescript')).toBeUndefined()
  expect(instantiate('webassembly')).toBeDefined()
})

test.each([
  ['no WebAssembly here', undefined],
  ['no WebAssembly SIMD here', { validate: () => false }],
])('falls back to the reference where there is %s, unless the kernel is demanded', async (detail, api) => {
  vi.stubGlobal('WebAssembly', api)
  const { kernelInfo, instantiate } = await engine()
  expect(kernelInfo()).toEqual({ implementation: 'typescript', detail })
  expect(instantiate('auto')).toBeUndefined()
  expect(() => instantiate('webassembly')).toThrow(`kernel: expected webassembly, got ${detail}; choose auto`)
  expect(() => instantiate('webassembly-f32')).toThrow(`kernel: expected webassembly, got ${detail}; choose auto`)
})
