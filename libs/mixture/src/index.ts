export type { Block } from './block.ts'
export type { Family, Parameters, Statistics } from './family.ts'
export { blend, empty, merge, scale } from './family.ts'
export type { Prior } from './prior.ts'
