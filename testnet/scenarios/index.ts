/** What may happen to a network, step by step, and what is to hold then. */
export type * from './result.ts'
