import type { Libp2p, PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type ErrorCode,
  type Logger,
  partMetrics,
  Semaphore,
  showQueue,
  toCatalogError,
  untilAborted
} from '../../base/index.ts'
import type { ContentStore, IndexEntry, Registry, ReleaseRecord } from '../../library/index.ts'
import type { MayRead } from '../content/index.ts'
import { serveExchange } from '../exchange/index.ts'
import type { Budget } from '../throttle/index.ts'
import { timeOfNotHere } from '../wire/not-here.ts'
import type { ByteMaps } from './byte-maps.ts'
import {
  DIGESTS_COST,
  MAKE_MS,
  MAX_PROVING,
  MAX_RECORDS_LOOKED_AT,
  MAX_STREAM_REQUESTS,
  MAX_STREAMS_PER_CONNECTION,
  MAX_UNDER_WAY,
  PROOF_RATE,
  PROOF_RETRY_MS,
  TURN_MS
} from './limits.ts'
import type { ProofRequest, ProofResponse } from './messages.js'
import { Prover } from './prover.ts'
import { PROOF } from './wire.ts'

export interface ProofServerModules {
  readonly libp2p: Libp2p
  readonly store: Pick<ContentStore, 'readBlock' | 'summary'>
  readonly registry: Pick<Registry, 'entries' | 'read'>
  readonly maps: Pick<ByteMaps, 'of' | 'stop'>
  /** Has what is sent wait for its turn, which is that of what hurries least. */
  readonly upload: Pick<Budget, 'take'>
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: MetricsRegistry
}

/** What a node says of itself with a proof, where it has something to say. */
export interface Told {
  member(): Uint8Array | undefined
  demand(): Uint8Array | undefined
}

export interface ProofServerOptions {
  readonly networkId: string
  /** Who may read which release. */
  readonly mayRead: MayRead
  readonly told?: Told
}

/** What is missing or damaged is not here, for who asks for a proof of all of it. */
const NOT_WHOLE: ReadonlySet<ErrorCode> = new Set(['CONTENT_MISSING', 'CONTENT_CORRUPT', 'CONTENT_INVALID'])

/** Proves to peers that this node can produce the contents that are whole here, from `start` to `stop`. */
export class ProofServer {
  readonly #modules: ProofServerModules
  readonly #options: ProofServerOptions
  readonly #prover: Prover
  readonly #places = new Semaphore({
    name: 'proofs',
    maxActive: MAX_PROVING,
    maxWaiting: MAX_UNDER_WAY
  })
  /** Peers with an answer under way: it waits to be made, is being made, or waits to be sent. */
  readonly #peers = new Set<string>()
  readonly #answers
  readonly #sent
  #stop: (() => Promise<void>) | undefined

  constructor(modules: ProofServerModules, options: ProofServerOptions) {
    this.#modules = modules
    showQueue(modules.metrics, this.#places)
    this.#options = options
    this.#prover = new Prover(modules)
    const metrics = partMetrics(modules.metrics, 'proof')
    this.#answers = metrics.counter('served_answers_total')
    this.#sent = metrics.counter('served_bytes_total')
  }

  async start(): Promise<void> {
    if (this.#stop !== undefined) throw new CatalogError('INTERNAL', 'the proof server was started twice')
    this.#stop = await serveExchange(this.#modules, PROOF, {
      networkId: this.#options.networkId,
      rate: PROOF_RATE,
      maxRequests: MAX_STREAM_REQUESTS,
      maxStreams: MAX_STREAMS_PER_CONNECTION,
      cost: ({ nonce }) => (nonce.byteLength > 0 ? DIGESTS_COST : 1),
      answer: ({ remotePeer }, request, signal) => this.#answer(remotePeer, request, signal)
    })
  }

  async stop(): Promise<void> {
    await this.#stop?.()
    this.#stop = undefined
    await this.#modules.maps.stop()
  }

  async #answer(peerId: PeerId, request: ProofRequest, signal: AbortSignal): Promise<Partial<ProofResponse>> {
    try {
      await this.#admit(peerId, request, signal)
      const answer = await this.#prove(peerId, request, signal)
      this.#answers.inc({ code: 'OK' })
      return answer
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      this.#answers.inc({ code })
      throw NOT_WHOLE.has(code) ? notHere() : thrown
    }
  }

  /** NOT_FOUND, at its time, for what is not whole here as for what the peer may not know of. */
  async #admit(peerId: PeerId, request: ProofRequest, signal: AbortSignal): Promise<void> {
    const { store, clock } = this.#modules
    const askedMs = clock.monotonicMs()
    const content = CID.decode(request.content)
    if ((await this.#mayRead(peerId, request, content, signal)) && store.summary(content) !== undefined)
      return
    await timeOfNotHere({ clock, askedMs }, signal)
    throw notHere()
  }

  /** Whether the peer may know that this is the content of the release that it names. */
  async #mayRead(
    peerId: PeerId,
    { name, version, owner }: ProofRequest,
    content: CID,
    signal: AbortSignal
  ): Promise<boolean> {
    const { registry } = this.#modules
    let looked = 0
    for await (const entry of registry.entries({ name, version, owner }, signal)) {
      if (++looked > MAX_RECORDS_LOOKED_AT) break
      const record = entry.content.equals(content) ? readable(registry, entry) : undefined
      if (record !== undefined && (await this.#options.mayRead(peerId, record))) return true
    }
    return false
  }

  /**
   * BUSY when the answer is not made in time, or its turn to be sent does not come in time; and while there is one of the peer under way: also
   * one that it is not waiting for any more, but the disk is.
   */
  async #prove(peerId: PeerId, request: ProofRequest, signal: AbortSignal): Promise<Partial<ProofResponse>> {
    const peer = peerId.toString()
    if (this.#peers.has(peer) || this.#peers.size >= MAX_UNDER_WAY) throw busy('enough proofs are under way')
    this.#peers.add(peer)
    let reading: Promise<unknown> = Promise.resolve()
    try {
      const shown = await this.#inTime(MAKE_MS, signal, within => {
        const made = this.#places.run(() => this.#show(peerId, request, within), within)
        reading = made.catch(() => undefined)
        return made
      })
      const answer = { ...shown, ...(request.tell && this.#said()) }
      const bytes = sizeOf(answer)
      await this.#inTime(TURN_MS, signal, within => this.#modules.upload.take(peer, 'low', bytes, within))
      this.#sent.inc(bytes)
      return answer
    } finally {
      void reading.finally(() => this.#peers.delete(peer))
    }
  }

  async #inTime<T>(
    limitMs: number,
    signal: AbortSignal,
    run: (signal: AbortSignal) => Promise<T>
  ): Promise<T> {
    const [late, done] = [new AbortController(), new AbortController()]
    this.#modules.clock.wait(limitMs, done.signal).then(
      () => late.abort(busy('this node has no time for a proof')),
      () => undefined
    )
    const within = AbortSignal.any([signal, late.signal])
    try {
      return await untilAborted(run(within), within)
    } finally {
      done.abort()
    }
  }

  #said(): Partial<ProofResponse> {
    const { told } = this.#options
    return { member: told?.member(), demand: told?.demand() }
  }

  async #show(
    peerId: PeerId,
    { content: bytes, nonce, nodes, sample }: ProofRequest,
    signal: AbortSignal
  ): Promise<Partial<Pick<ProofResponse, 'digests' | 'nodes' | 'blocks'>>> {
    const content = CID.decode(bytes)
    if (sample !== undefined) return { blocks: await this.#prover.blocks(content, sample, signal) }
    if (nonce.byteLength > 0) {
      const [challenger, holder] = [peerId, this.#modules.libp2p.peerId].map(id => id.toMultihash().bytes)
      const challenge = { nonce, challenger: challenger!, holder: holder! }
      return { digests: Buffer.concat(await this.#prover.digests(content, challenge, signal)) }
    }
    const found: ProofResponse['nodes'] = []
    for (const place of nodes) found.push(await this.#prover.node(content, place, signal))
    return { nodes: found }
  }
}

/** A damaged record is as good as none, as for its content (content/served-stream.ts). */
function readable(registry: Pick<Registry, 'read'>, entry: IndexEntry): ReleaseRecord | undefined {
  try {
    return registry.read(entry)
  } catch (thrown) {
    if (toCatalogError(thrown).code === 'CONTENT_CORRUPT') return undefined
    throw thrown
  }
}

const sizeOf = ({ digests, nodes = [], blocks = [], demand }: Partial<ProofResponse>): number =>
  [digests, ...nodes.map(({ block }) => block), ...blocks, demand].reduce(
    (sum, part) => sum + (part?.byteLength ?? 0),
    0
  )

const notHere = (): CatalogError => new CatalogError('NOT_FOUND', 'this content is not known here')

const busy = (what: string): CatalogError =>
  new CatalogError('BUSY', what, { details: { retryAfterMs: PROOF_RETRY_MS } })
