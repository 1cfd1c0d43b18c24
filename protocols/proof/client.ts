import { randomBytes } from 'node:crypto'
import type { Libp2p, PeerId } from '@libp2p/interface'
import type { Clock } from '../../base/index.ts'
import type { ContentStore } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { Asking, type ProvableRelease } from './asking.ts'
import type { ByteMaps } from './byte-maps.ts'
import { Descent, type PageSample } from './descent.ts'
import { ENOUGH_SENT_BYTES, MIN_SENT_SAMPLES, PROOF_NONCE_BYTES } from './limits.ts'
import type { ProofResponse } from './messages.js'
import { Prover } from './prover.ts'
import { Received, wrongProof } from './received.ts'
import { sampleOffsets } from './samples.ts'
import { type BytesOfPage, type FoundBytes, findBytes, isAmong } from './ways.ts'

export interface ProofClientModules {
  readonly libp2p: Libp2p
  readonly store: Pick<ContentStore, 'readBlock' | 'summary'>
  readonly maps: Pick<ByteMaps, 'of'>
  readonly clock: Clock
}

/** What a holder says of itself with its proof: bytes that nobody has looked into, empty where it says nothing. */
export type ToldBytes = Pick<ProofResponse, 'member' | 'demand'>

/** Has peers prove that they can produce the bytes of contents. */
export class ProofClient {
  readonly #modules: ProofClientModules
  readonly #networkId: string
  readonly #own: Prover

  constructor(modules: ProofClientModules, { networkId }: { networkId: string }) {
    this.#modules = modules
    this.#networkId = networkId
    this.#own = new Prover(modules)
  }

  /**
   * Resolves when the peer has proved it. NOT_FOUND when it says that it has not all of it; BYTES_WRONG or PROTOCOL_VIOLATION when what it
   * answered is no proof; TIMEOUT when it came too late. Everything else says nothing about what it has: CONTENT_INVALID and PATH_REFUSED are
   * the publisher's doing, or that of whoever signed another size for the same content.
   */
  async challenge(peerId: PeerId, release: ProvableRelease, signal: AbortSignal): Promise<ToldBytes> {
    const asking = new Asking({ ...this.#modules, networkId: this.#networkId, peerId, release }, signal)
    try {
      await asking.open()
      // Where the content is here, digests do: half a kilobyte.
      const isHere = this.#modules.store.summary(release.content) !== undefined
      return isHere ? await this.#compare(asking, release, signal) : await lookAt(asking, release)
    } finally {
      asking.end()
    }
  }

  async #compare(asking: Asking, { content }: ProvableRelease, signal: AbortSignal): Promise<ToldBytes> {
    const nonce = randomBytes(PROOF_NONCE_BYTES)
    const challenger = this.#modules.libp2p.peerId.toMultihash().bytes
    const challenge = { nonce, challenger, holder: asking.peerId.toMultihash().bytes }
    const [answer, own] = await Promise.all([
      asking.ask({ nonce, tell: true }),
      // The peer has its time for its answer, whatever time this takes here.
      this.#own.digests(content, challenge, signal)
    ])
    if (!bytesEqual(answer.digests, Buffer.concat(own))) throw wrongProof('the digests are of other bytes')
    return toldIn(answer)
  }
}

/** Goes down to samples that the peer cannot know, and has it send what is there. */
async function lookAt(asking: Asking, { content, sizeBytes }: ProvableRelease): Promise<ToldBytes> {
  const secret = randomBytes(PROOF_NONCE_BYTES)
  const descent = new Descent(content, sizeBytes, size => sampleOffsets(secret, size))
  while (descent.wanted.length > 0) descent.take((await asking.ask({ nodes: descent.wanted })).nodes)
  const proven: BytesOfPage[] = []
  let told: ToldBytes | undefined
  let sentBytes = 0
  for (const [turn, sample] of descent.samples.entries()) {
    if (turn >= MIN_SENT_SAMPLES && sentBytes >= ENOUGH_SENT_BYTES) break
    if (proven.some(bytes => isAmong(sample, bytes))) continue
    const { page, offset } = sample
    const answer = await asking.ask({ sample: { page, offset }, tell: told === undefined })
    told ??= toldIn(answer)
    sentBytes += answer.blocks.reduce((sum, { byteLength }) => sum + byteLength, 0)
    const { startBytes, endBytes } = await check(answer.blocks, descent, sample, asking.signal)
    proven.push({ page, startBytes, endBytes })
  }
  return told!
}

/** What the blocks of an answer prove. BYTES_WRONG. */
async function check(
  blocks: readonly Uint8Array[],
  descent: Descent,
  sample: PageSample,
  signal: AbortSignal
): Promise<FoundBytes> {
  const received = new Received(blocks)
  descent.checkPage(received.get(sample.id), sample)
  const { offset } = sample
  return await findBytes(received, sample.id, { offset, isOfPages: descent.isOfPages }, signal)
}

/** Out of the memory of the answer, which is half a mebibyte. */
const toldIn = ({ member, demand }: ProofResponse): ToldBytes => ({
  member: member.slice(),
  demand: demand.slice()
})
