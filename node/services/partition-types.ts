import type { PartitionState } from '../../topology/index.ts'

/** Whether this node has lost a part of the network, for parts that must do another thing then. */
export interface PartitionWatch {
  readonly state: PartitionState
  /** What makes up for peers that are gone waits: they may be back. From the first suspicion until everything is synced again, or the majority takes over. */
  readonly isFrozen: boolean
  /** Calls back with each new state, and when it freezes no longer; returns the way to stop that. */
  onChange(listener: (state: PartitionState) => void): () => void
}
