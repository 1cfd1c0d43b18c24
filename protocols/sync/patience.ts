import { SECOND_MS } from '../../base/index.ts'
import { LEAST_BYTES_PER_SECOND, PATIENCE_MS } from './limits.ts'

/**
 * How much longer a peer is waited for that was waited for, and then said something or took what it was sent. Every byte is worth some
 * time, and what is saved up has an end: a peer that says little, time and again, is let go like one that says nothing.
 */
export function patienceLeft(
  leftMs: number,
  { waitedMs, bytes }: { readonly waitedMs: number; readonly bytes: number }
): number {
  const earnedMs = (bytes / LEAST_BYTES_PER_SECOND) * SECOND_MS
  return Math.max(0, Math.min(PATIENCE_MS, leftMs - waitedMs + earnedMs))
}
