/** What a link is like, in both directions. */
export interface LinkSettings {
  /** One way; the round trip is twice that. */
  readonly delayMs: number
  /** 0 = as fast as the machine. */
  readonly rateMbit: number
  readonly lossPercent: number
  /** Packets that those behind them overtake. */
  readonly reorderPercent: number
  /** How much longer than the others those travel. */
  readonly reorderMs: number
  /** What may wait to be sent; beyond it packets are dropped. Given none, as much as the link carries in `delayMs`, at least 64 KiB. */
  readonly queueBytes?: number
}

/** A link that does nothing to packets but carry them. */
export const PLAIN_LINK: LinkSettings = {
  delayMs: 0,
  rateMbit: 0,
  lossPercent: 0,
  reorderPercent: 0,
  reorderMs: 5
}

/** Packets since the link is up, in one direction. */
export interface LinkCounts {
  readonly forwarded: number
  /** By the probability of loss, or while the link was cut. */
  readonly lost: number
  /** For lack of room in the queue. */
  readonly dropped: number
}

const MIN_QUEUE_BYTES = 64 * 1024

/** The command of link.c. */
export function setCommand(settings: LinkSettings): string {
  const bytesPerMs = (settings.rateMbit * 1e6) / 8 / 1000
  const { queueBytes = Math.max(MIN_QUEUE_BYTES, bytesPerMs * settings.delayMs) } = settings
  const values = [
    settings.delayMs * 1000,
    settings.rateMbit * 1e6,
    settings.lossPercent * 1e4,
    settings.reorderPercent * 1e4,
    settings.reorderMs * 1000,
    queueBytes
  ]
  return `set ${values.map(Math.round).join(' ')}`
}

/** What link.c answers to every command. */
export function parseCounts(line: string): [LinkCounts, LinkCounts] {
  const values = line.split(' ').map(Number)
  if (values.length !== 6 || values.some(Number.isNaN)) throw new Error(`link: not an answer: ${line}`)
  const [a, b, c, d, e, f] = values as [number, number, number, number, number, number]
  return [
    { forwarded: a, lost: b, dropped: c },
    { forwarded: d, lost: e, dropped: f }
  ]
}
