import { HOUR_MS, MINUTE_MS } from '../../base/index.ts'

/**
 * When each part of the key space is announced again.
 *
 * Claims hold for 25 hours, so every key is announced every 22 (`announce.interval`). The key space is cut into SLOTS equal parts, and the 22 hours
 * into as many; each slot has its time in the cycle, so the work is spread evenly over the day. The cycle is shifted by a
 * number of the node's own (from its peer id), so that nodes do not all announce to the same neighbours at the same time, and a
 * little jitter keeps them from falling into step. A slot that was done at some other time (the node was down, or had no
 * peers) comes next at the last of its times that is within 22 hours, which brings it back into the cycle.
 *
 * Pure functions: time, jitter and progress come in as arguments.
 */
export const SWEEP_INTERVAL_MS = 22 * HOUR_MS
/** Parts of the key space, each with its own progress: one is due every 20 minutes. */
export const SLOTS = 64
/** A pass through a slot that was interrupted goes on where it was for so long: its first keys then hold until the next. */
export const RESUME_WITHIN_MS = 2 * HOUR_MS
/** A slot that is so much later than its time is worth a warning: two more hours and claims lapse. */
export const LATE_WARNING_MS = 60 * MINUTE_MS

/** What is known about a slot; kept on disk. */
export interface SlotProgress {
  /** When its last key was announced; of a slot that never was, when this node first began to sweep. */
  readonly doneAt: number
  /** A pass that is under way: when it began, and the place of the last key that was announced. */
  readonly pass: { readonly startedAt: number; readonly cursor: Uint8Array } | undefined
}

/** What is a node's own in the cycle. */
export interface SweepCycle {
  /** See `shiftOf`. */
  readonly shift: number
  /** In [0, 1) of a slot. */
  readonly jitter: number
  /** Time in which every key is announced once. */
  readonly intervalMs: number
}

/** The slot of a place in the key space: its first six bits. */
export const slotOf = (kademliaId: Uint8Array): number => (kademliaId[0]! * SLOTS) >> 8

/** The shift of a node's cycle, 0 to SLOTS - 1, from its place in the key space. */
export const shiftOf = (selfKademliaId: Uint8Array): number => selfKademliaId[1]! % SLOTS

/**
 * When a slot is due: at the last of its times that is no later than the interval (and one slot) after it was done, earlier
 * by `jitter` in [0, 1) of a slot.
 */
export function dueAt(slot: number, progress: SlotProgress, cycle: SweepCycle): number {
  const { shift, jitter, intervalMs } = cycle
  const slotMs = intervalMs / SLOTS
  const { doneAt, pass } = progress
  if (pass !== undefined) return pass.startedAt
  const phaseMs = ((slot + shift) % SLOTS) * slotMs
  const latest = doneAt + intervalMs + slotMs
  const cycles = Math.floor((latest - phaseMs) / intervalMs)
  return Math.max(doneAt, Math.floor(cycles * intervalMs + phaseMs - jitter * slotMs))
}

/** Where a pass through a slot begins: after the cursor of one that was interrupted not long ago, or at its start. */
export function passFor(
  progress: SlotProgress,
  now: number
): { startedAt: number; after: Uint8Array | undefined } {
  const { pass } = progress
  if (pass !== undefined && now - pass.startedAt <= RESUME_WITHIN_MS)
    return { startedAt: pass.startedAt, after: pass.cursor }
  return { startedAt: now, after: undefined }
}
