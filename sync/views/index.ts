/**
 * Views: what a node makes of releases that contradict each other. A library is a set of records and keeps all of them, so that every
 * holder reaches the same root; who is right is not settled by what is in it. A view is a pure function over that set: which of several
 * owners of one name and version counts for this operator, and whether an owner contradicts itself. The same set and the same policy
 * give the same view on every node, in whatever order the records came. It changes no record, stores nothing and knows neither
 * network nor clock. In: verified releases and statements, a policy; out: for each version its claims and what follows from them.
 */
export { type MergedDescription, mergeDescriptions } from './merge.ts'
export {
  type ChosenStrategy,
  type ConflictRules,
  conflictRules,
  strategyFor,
  subjectsOf
} from './policy.ts'
export {
  type Claim,
  type Claims,
  isEquivocated,
  type NameView,
  type Outcome,
  type VersionView,
  type ViewPolicy,
  viewOfName,
  weightOf
} from './view.ts'
