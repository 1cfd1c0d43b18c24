/**
 * Receipts between nodes: this one signs for peers what they gave to it, keeps what peers sign for it, and asks peers of which it knows little what others
 * have signed for them. Only what the ledger counted is signed for, so nothing of closed libraries. What was signed for this node does not outlive a
 * restart: who goes on taking signs again within the hour.
 */
import type { PeerId } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  HOUR_MS,
  type Logger,
  LruCache,
  MIB,
  partMetrics,
  toCatalogError
} from '../../base/index.ts'
import { decodeReceipt, isCurrent, PRIOR_BYTES, type Receipt, signReceipt } from '../../ledger/index.ts'
import {
  type Control,
  GIVE_RATE,
  giveReceipt,
  MAX_SHOWN_RECEIPTS,
  PeerRates,
  SHOW_RATE,
  showReceipts
} from '../../protocols/index.ts'
import { bytesEqual, type Signer } from '../../trust/index.ts'
import type { PeerLedger } from './peer-ledger.ts'
import { nodeKeyOf, peerOf } from './writer-key.ts'

/** Less is not worth a receipt: one of so many bytes counts a fifth of what it can at most. */
const SIGNED_BYTES = 16 * MIB
/** How often a peer is given a receipt, and how often one is asked for those that it has. */
const EVERY_MS = HOUR_MS
/** Receipts that are kept, one of each signer; of those with whom nothing happened for longest the first goes. 512 bytes each at most. */
const MAX_KEPT = 256
/** Peers of which is remembered when they were given a receipt, and when they were asked; one that was forgotten is asked again. */
const MAX_PEERS = 4096
/** Peers that are given receipts in one round, and that are asked: a round has a minute. */
const PEERS_PER_ROUND = 16

export interface ReceiptsModules {
  control: Pick<Control, 'request' | 'handle' | 'hello'>
  ledger: Pick<PeerLedger, 'view' | 'show'>
  /** Of this node. */
  key: Signer
  connected(): PeerId[]
  /** A peer brought what an honest one would not. */
  onViolation(peerId: PeerId, error: CatalogError): void
  clock: Clock
  logger: Logger
  metrics?: MetricsRegistry
}

interface Given {
  readonly atMs: number
  readonly sequence: number
  /** What the peer had given in all by the last receipt that it took. */
  readonly totalBytes: number
}

interface Kept extends Receipt {
  readonly encoded: Uint8Array
}

export class Receipts {
  readonly #modules: ReceiptsModules
  readonly #given = new LruCache<string, Given>({ maxEntries: MAX_PEERS })
  readonly #askedMs = new LruCache<string, number>({ maxEntries: MAX_PEERS })
  readonly #kept = new LruCache<string, Kept>({ maxEntries: MAX_KEPT })
  readonly #metrics

  /** Answers peers from then on. */
  constructor(modules: ReceiptsModules) {
    this.#modules = modules
    const { control, clock } = modules
    const metrics = partMetrics(modules.metrics, 'receipts')
    metrics.gauge('signing_peers', () => this.#kept.size)
    this.#metrics = metrics.counter('exchanged_receipts_total')
    const gives = new PeerRates(GIVE_RATE, clock)
    const shows = new PeerRates(SHOW_RATE, clock)
    control.handle(giveReceipt, ({ receipt }, { peerId }) => {
      gives.take(peerId.toString(), 1)
      this.#reporting(peerId, () => this.#keep(peerId, receipt))
      return {}
    })
    control.handle(showReceipts, (_, { peerId }) => {
      shows.take(peerId.toString(), 1)
      return { receipts: this.shown() }
    })
  }

  /**
   * Gives receipts to connected peers that gave enough since the last one, and asks those of which little is known for theirs. Nobody is dialled, and no
   * stream is opened for it. Never rejects: who did not answer has its turn an hour later.
   */
  async exchange(signal: AbortSignal): Promise<void> {
    const { connected, control } = this.#modules
    const peers = connected().filter(peerId => control.hello(peerId) !== undefined)
    const rewarded = peers.filter(peerId => this.#isDue(peerId)).slice(0, PEERS_PER_ROUND)
    const unknown = peers.filter(peerId => this.#isAskable(peerId)).slice(0, PEERS_PER_ROUND)
    await Promise.all([
      ...rewarded.map(peerId => this.#counted('given', peerId, signal, () => this.#give(peerId, signal))),
      ...unknown.map(peerId => this.#counted('asked', peerId, signal, () => this.#ask(peerId, signal)))
    ])
  }

  /** What this node shows of itself: of the signers of each public network the one that took most, and those that took most first. */
  shown(): Uint8Array[] {
    const { clock, ledger } = this.#modules
    const nowMs = clock.now()
    const current = [...this.#kept.values()].filter(receipt => isCurrent(receipt, nowMs))
    const networks = new Map<string, Kept>()
    for (const receipt of current.sort((a, b) => b.bytes - a.bytes)) {
      const network = ledger.view.networkOf(peerOf(receipt.node))
      if (!networks.has(network)) networks.set(network, receipt)
    }
    return [...networks.values()].slice(0, MAX_SHOWN_RECEIPTS).map(({ encoded }) => encoded)
  }

  #isDue(peerId: PeerId): boolean {
    const { ledger, clock } = this.#modules
    const given = this.#given.get(peerId.toString())
    if (given !== undefined && clock.monotonicMs() - given.atMs < EVERY_MS) return false
    const account = ledger.view.account(peerId.toString())
    if (account === undefined || account.recent.receivedBytes < SIGNED_BYTES) return false
    return account.totalReceivedBytes - (given?.totalBytes ?? 0) >= SIGNED_BYTES
  }

  #isAskable(peerId: PeerId): boolean {
    const { ledger, clock } = this.#modules
    const askedMs = this.#askedMs.get(peerId.toString())
    if (askedMs !== undefined && clock.monotonicMs() - askedMs < EVERY_MS) return false
    const { sentBytes = 0, receivedBytes = 0 } = ledger.view.account(peerId.toString())?.recent ?? {}
    return sentBytes + receivedBytes < PRIOR_BYTES
  }

  async #give(peerId: PeerId, signal: AbortSignal): Promise<void> {
    const { control, ledger, key, clock } = this.#modules
    const { recent, totalReceivedBytes } = ledger.view.account(peerId.toString())!
    const statement = { giver: nodeKeyOf(peerId), bytes: Math.floor(recent.receivedBytes) }
    const before = this.#given.get(peerId.toString())
    const { bytes, sequence } = signReceipt(statement, { nowMs: clock.now(), last: before?.sequence }, key)
    const given = { atMs: clock.monotonicMs(), sequence, totalBytes: before?.totalBytes ?? 0 }
    this.#given.set(peerId.toString(), given)
    await control.request(peerId, giveReceipt, { receipt: bytes }, { signal })
    this.#given.set(peerId.toString(), { ...given, totalBytes: totalReceivedBytes })
  }

  async #ask(peerId: PeerId, signal: AbortSignal): Promise<void> {
    const { control, ledger, clock } = this.#modules
    this.#askedMs.set(peerId.toString(), clock.monotonicMs())
    const { receipts } = await control.request(peerId, showReceipts, {}, { signal })
    const read = this.#reporting(peerId, () =>
      receipts.flatMap(bytes => known(() => readFor(nodeKeyOf(peerId), bytes)))
    )
    const current = read.filter(receipt => isCurrent(receipt, clock.now()))
    const newest = new Map(current.map(({ node, bytes, expires }) => [peerOf(node), { bytes, expires }]))
    ledger.show(
      peerId.toString(),
      [...newest].map(([signer, receipt]) => ({ signer, ...receipt }))
    )
  }

  /** Takes what a peer says that it took from here. An old one, and one of who was given nothing as far as is known, is passed over. */
  #keep(peerId: PeerId, encoded: Uint8Array): void {
    const { key, ledger, clock } = this.#modules
    const receipt = readFor(key.publicKey, encoded)
    if (!bytesEqual(receipt.node, nodeKeyOf(peerId)))
      throw new CatalogError('PROTOCOL_VIOLATION', 'a receipt of another node than the one that gives it')
    const peer = peerId.toString()
    const sentBytes = ledger.view.account(peer)?.totalSentBytes ?? 0
    const known = this.#kept.get(peer)
    if (sentBytes < SIGNED_BYTES / 2 || !isCurrent(receipt, clock.now())) return
    if (known !== undefined && receipt.sequence <= known.sequence) return
    this.#kept.set(peer, { ...receipt, encoded: Uint8Array.from(encoded) })
  }

  /** What a peer brought is read; what no honest one brings is reported, and thrown. */
  #reporting<T>(peerId: PeerId, read: () => T): T {
    try {
      return read()
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code !== 'UNSUPPORTED') this.#modules.onViolation(peerId, error)
      throw error
    }
  }

  async #counted(
    kind: 'given' | 'asked',
    peerId: PeerId,
    signal: AbortSignal,
    work: () => Promise<void>
  ): Promise<void> {
    try {
      await work()
      this.#metrics.inc({ kind, outcome: 'done' })
    } catch (thrown) {
      if (signal.aborted) return
      const { code, message } = toCatalogError(thrown)
      this.#metrics.inc({ kind, outcome: 'failed' })
      const peer = peerId.toString()
      this.#modules.logger.debug({ peer, kind, code, reason: message }, 'no receipts exchanged with a peer')
    }
  }
}

/** A receipt that must be for a node. Throws what `decodeReceipt` does, and PROTOCOL_VIOLATION for one of another giver. */
function readFor(giver: Uint8Array, bytes: Uint8Array): Receipt {
  const receipt = decodeReceipt(bytes)
  if (bytesEqual(receipt.giver, giver)) return receipt
  throw new CatalogError('PROTOCOL_VIOLATION', 'a receipt for another node')
}

/** Nothing for a receipt of a later format, which is no fault of who shows it. */
function known(read: () => Receipt): Receipt[] {
  try {
    return [read()]
  } catch (thrown) {
    if (toCatalogError(thrown).code === 'UNSUPPORTED') return []
    throw thrown
  }
}
