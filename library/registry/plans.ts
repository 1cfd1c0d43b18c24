import type { DatabaseReader } from '../database/types.ts'
import { planAdd, planPublish, planRevise } from './plan.ts'
import { planAddStatement, planPublishStatement } from './plan-statement.ts'
import type { RegistryChange, RegistryPlan } from './types.ts'

/** `libraryId`: name here of the library that a release is published in; the others find theirs. */
type Plan = (
  reader: DatabaseReader,
  record: Uint8Array,
  nowMs: number,
  libraryId: string
) => Promise<RegistryPlan>

/** How each change that a record makes is planned. */
export const PLANS: Record<RegistryChange, Plan> = {
  publish: planPublish,
  revise: planRevise,
  add: planAdd,
  publishStatement: planPublishStatement,
  addStatement: planAddStatement
}
