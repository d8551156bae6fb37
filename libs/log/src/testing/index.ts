export * from './harness.ts'
export { packed } from './packed.ts'
