import type { Libp2p, PeerId } from '@libp2p/interface'
import { CatalogError, type Clock, toCatalogError } from '../../base/index.ts'
import type { Release } from '../../library/index.ts'
import { ExchangeClient } from '../exchange/index.ts'
import { ALL_LATE_MS, LATE_MS, PROOF_OPEN_MS } from './limits.ts'
import type { ProofRequest, ProofResponse } from './messages.js'
import { PROOF } from './wire.ts'

/** A release, as far as it takes to challenge a holder of its content. */
export type ProvableRelease = Pick<Release, 'name' | 'version' | 'owner' | 'content' | 'sizeBytes'>

export interface AskingModules {
  readonly libp2p: Libp2p
  readonly clock: Clock
  readonly networkId: string
  readonly peerId: PeerId
  readonly release: ProvableRelease
}

/** One challenge on its stream: each answer has its time, and so have all of them. */
export class Asking {
  readonly #modules: AskingModules
  readonly #over = new AbortController()
  /** Ends what belongs to the challenge. */
  readonly signal: AbortSignal
  #client: ExchangeClient<ProofRequest, ProofResponse> | undefined

  constructor(modules: AskingModules, signal: AbortSignal) {
    this.#modules = modules
    this.signal = AbortSignal.any([signal, this.#over.signal])
  }

  get peerId(): PeerId {
    return this.#modules.peerId
  }

  /** DIAL_FAILED, UNSUPPORTED. */
  async open(): Promise<void> {
    const { libp2p, networkId, peerId } = this.#modules
    const target = { peerId, addresses: [] }
    const tooLate = new CatalogError('DIAL_FAILED', `${peerId} opened no stream in ${PROOF_OPEN_MS} ms`)
    this.#client = await this.#within(PROOF_OPEN_MS, tooLate, async () => {
      try {
        return await ExchangeClient.open(libp2p, PROOF, networkId, target, this.signal)
      } catch (thrown) {
        // Of whom a dial gives up is not late with a proof: it may be off, or the way to it broken.
        const error = toCatalogError(thrown)
        throw error.code === 'TIMEOUT'
          ? new CatalogError('DIAL_FAILED', error.message, { cause: thrown })
          : thrown
      }
    })
    this.#limit(ALL_LATE_MS, this.#late(ALL_LATE_MS), this.signal)
  }

  /** One question and its answer. TIMEOUT when it comes too late. */
  async ask(
    question: Pick<Partial<ProofRequest>, 'nonce' | 'nodes' | 'sample' | 'tell'>
  ): Promise<ProofResponse> {
    const { name, version, owner, content } = this.#modules.release
    const request = { name, version, owner, content: content.bytes, ...question }
    return await this.#within(LATE_MS, this.#late(LATE_MS), () => this.#client!.ask(request))
  }

  /** Ends the stream, in good order where nothing is awaited. */
  end(): void {
    this.#client?.close()
    this.#over.abort(new CatalogError('ABORTED', 'the challenge is over'))
  }

  async #within<T>(limitMs: number, tooLate: CatalogError, run: () => Promise<T>): Promise<T> {
    const done = new AbortController()
    this.#limit(limitMs, tooLate, done.signal)
    try {
      return await run()
    } finally {
      done.abort()
    }
  }

  #limit(limitMs: number, tooLate: CatalogError, done: AbortSignal): void {
    this.#modules.clock.wait(limitMs, done).then(
      () => this.#over.abort(tooLate),
      () => undefined
    )
  }

  #late(limitMs: number): CatalogError {
    return new CatalogError('TIMEOUT', `${this.#modules.peerId} had not proved it within ${limitMs} ms`)
  }
}
