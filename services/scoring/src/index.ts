export { localScore, type Score, type ScoringOptions, scoring } from './scoring.ts'
