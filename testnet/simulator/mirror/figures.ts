/** What a simulation of mirroring has cost, and what happened in it. */
export interface MirrorFigures {
  nodes: number
  hostile: number
  releases: number
  steps: number
  /** How often each kind of step was taken. */
  taken: Record<string, number>
  events: number
  virtualMs: number
  plans: number
  /** Copies made, by cause, and the bytes of them. */
  copies: Record<string, { count: number; bytes: number }>
  dropped: Record<string, number>
  failedTransfers: number
  /** Copies whose holder was away for longer than the grace, or is gone for good, each once. */
  lost: { copies: number; bytes: number }
  /** Times that a release had fewer than `min` copies that count, and the longest of them. */
  short: { times: number; longestMs: number }
  /** Releases of which nothing is left: all that held them went for good. */
  extinct: number
  proofs: { passed: number; failed: number }
  /** Largest share of load as a multiple of the share of weight, among nodes that could hold all of theirs. */
  mostLoad: number
  /** From the last step until nobody has anything to do. */
  quietAfterMs: number
}

export const newMirrorFigures = (): MirrorFigures => ({
  nodes: 0,
  hostile: 0,
  releases: 0,
  steps: 0,
  taken: {},
  events: 0,
  virtualMs: 0,
  plans: 0,
  copies: {},
  dropped: {},
  failedTransfers: 0,
  lost: { copies: 0, bytes: 0 },
  short: { times: 0, longestMs: 0 },
  extinct: 0,
  proofs: { passed: 0, failed: 0 },
  mostLoad: 0,
  quietAfterMs: 0
})

/** Bytes of copies that were made in place of others. */
export const repairBytes = ({ copies }: MirrorFigures): number =>
  (copies.repair?.bytes ?? 0) + (copies.replaced?.bytes ?? 0)

/** Bytes of repair for each byte that was lost. */
export const repairRatio = (figures: MirrorFigures): number =>
  figures.lost.bytes === 0 ? 0 : repairBytes(figures) / figures.lost.bytes
