import { BlockRules } from '../../../node/services/block-rules.ts'

/** What a node knows of blocks whose operator has blocked nothing. */
export const nothingBlocked = {
  rules: new BlockRules([]),
  isBlocked: () => false,
  blockOf: () => undefined,
  expectAllowed: () => undefined,
  expectSomeAllowed: () => undefined
}
