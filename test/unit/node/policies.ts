import type { ConflictPolicies } from '../../../node/services/conflict-policies.ts'

/** A node on which no conflict is settled, and no attestation counts. */
export const MANUAL = {
  of: () => ({ strategy: 'manual', origin: 'config', weights: new Map() }),
  weighs: () => false,
  attestors: []
} as unknown as ConflictPolicies
