/** Whether a network has come up as its plan says, from what the nodes say of themselves. */
import type { NetworkPlan } from './plan.ts'

export interface NodeSaid {
  readonly name: string
  readonly peerId: string
  /** When it was ready, in milliseconds of one clock for all. */
  readonly readyAtMs: number
  /** Peer ids of those it is connected with. */
  readonly peers: readonly string[]
}

/** A node says how long it has been up, and is asked one after another: two times are compared with this much tolerance. */
const TOLERANCE_MS = 250

/** Who is not connected with what it was to join through, or was ready before it: one sentence each. Pure. */
export function startFaults(plan: NetworkPlan, said: readonly NodeSaid[]): string[] {
  const byName = new Map(said.map(node => [node.name, node]))
  return plan.nodes.flatMap(({ name, after }) => {
    const node = byName.get(name)
    if (node === undefined) return [`${name} says nothing`]
    return after.flatMap(other => {
      const before = byName.get(other)
      if (before === undefined) return []
      const faults: string[] = []
      if (!node.peers.includes(before.peerId)) faults.push(`${name} is not connected with ${other}`)
      if (node.readyAtMs + TOLERANCE_MS < before.readyAtMs) faults.push(`${name} was ready before ${other}`)
      return faults
    })
  })
}
