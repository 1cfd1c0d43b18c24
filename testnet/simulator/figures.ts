import type { NetworkCounts } from './network.ts'

/** What a simulation has cost, and what happened in it. */
export interface Figures {
  honest: number
  hostile: number
  steps: number
  /** How often each kind of step was taken. */
  taken: Record<string, number>
  events: number
  virtualMs: number
  /** From the end of the last step until all honest nodes had one root, virtual. */
  convergedAfterMs: number
  records: number
  heads: { signed: number; taken: Record<string, number>; refused: number }
  sessions: {
    equal: number
    /** Between honest nodes, by error. */
    failed: Record<string, number>
    /** As honest nodes saw them. */
    failedWithHostile: Record<string, number>
    /** Of sessions between honest nodes that ended equal. */
    turns: number
    mostTurns: number
    /** Of all, as honest nodes saw them; without records. */
    bytes: number
    recordBytes: number
    recordsTaken: number
    recordsHeld: number
  }
  /** Sessions for closed libraries, of honest holders. */
  closed: { shown: number; refused: number }
  network: NetworkCounts
}

export const newFigures = (network: NetworkCounts): Figures => ({
  honest: 0,
  hostile: 0,
  steps: 0,
  taken: {},
  events: 0,
  virtualMs: 0,
  convergedAfterMs: 0,
  records: 0,
  heads: { signed: 0, taken: {}, refused: 0 },
  sessions: {
    equal: 0,
    failed: {},
    failedWithHostile: {},
    turns: 0,
    mostTurns: 0,
    bytes: 0,
    recordBytes: 0,
    recordsTaken: 0,
    recordsHeld: 0
  },
  closed: { shown: 0, refused: 0 },
  network
})

export function count(counts: Record<string, number>, name: string): void {
  counts[name] = (counts[name] ?? 0) + 1
}
