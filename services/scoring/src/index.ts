export { type ScoringOptions, scoring } from './scoring.ts'
