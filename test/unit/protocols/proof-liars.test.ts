/** Peers that say that they hold what they do not, over real QUIC: none of them proves it. */
import type { Libp2p, Stream } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { KIB, systemClock } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import {
  ExchangeClient,
  encodeFrame,
  FrameReader,
  PROOF,
  protocolId,
  pull
} from '../../../protocols/index.ts'
import { LATE_MS } from '../../../protocols/proof/limits.ts'
import type { ProofRequest, ProofResponse } from '../../../protocols/proof/messages.js'
import { Prover } from '../../../protocols/proof/prover.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { NETWORK, publish } from '../fetch/peers.ts'
import { ManualClock } from './manual-clock.ts'
import { createNode, introduce } from './nodes.ts'
import { give, outcomeOf, type ProofPeer, startProofPeer } from './proof-peers.ts'

const signal = AbortSignal.timeout(300_000)

const entries = (seed: string): TarEntry[] => [
  ...Array.from({ length: 400 }, (_, number) => ({
    name: `f${String(number).padStart(4, '0')}`,
    body: pseudoRandom(`${seed} ${number}`, 900)
  })),
  { name: 'z-big', body: pseudoRandom(seed, 900_000) }
]

/** Changes an honest answer, or says something on the stream itself and gives undefined. */
type Lie = (
  answer: Partial<ProofResponse>,
  request: ProofRequest,
  stream: Stream
) => Partial<ProofResponse> | undefined | Promise<Partial<ProofResponse> | undefined>

let holder: ProofPeer
/** Have the content, and do not. */
let mirror: ProofPeer
let stranger: ProofPeer
let record: ReleaseRecord
let other: ReleaseRecord
const liars: Libp2p[] = []

beforeAll(async () => {
  ;[holder, mirror, stranger] = await Promise.all([startProofPeer(), startProofPeer(), startProofPeer()])
  record = await publish(holder, entries('one'), 'one')
  other = await publish(holder, entries('other'), 'other')
  await give(holder, mirror, record)
})
afterAll(() =>
  Promise.all([...[holder, mirror, stranger].map(peer => peer?.close()), ...liars.map(node => node.stop())])
)

/** A node that answers as the holder would, with a lie in it. */
async function startLiar(lie: Lie): Promise<{ libp2p: Libp2p }> {
  const libp2p = await createNode()
  liars.push(libp2p)
  const prover = new Prover({ store: holder.library.content, maps: holder.maps })
  const honest = async (
    { content, nonce, nodes, sample }: ProofRequest,
    challenger: Uint8Array
  ): Promise<Partial<ProofResponse>> => {
    const cid = CID.decode(content)
    if (sample !== undefined) return { blocks: await prover.blocks(cid, sample, signal) }
    if (nodes.length > 0)
      return { nodes: await Promise.all(nodes.map(place => prover.node(cid, place, signal))) }
    const challenge = { nonce, challenger, holder: libp2p.peerId.toMultihash().bytes }
    return { digests: Buffer.concat(await prover.digests(cid, challenge, signal)) }
  }
  await libp2p.handle(protocolId(NETWORK, 'proof', 1), async (stream, { remotePeer }) => {
    const reader = new FrameReader(pull(stream))
    for (;;) {
      const frame = await reader.frame('request', 1e6).catch(() => undefined)
      if (frame === undefined) return
      const request = PROOF.request.decode(frame)
      const answer = await lie(await honest(request, remotePeer.toMultihash().bytes), request, stream)
      if (answer === undefined) return
      stream.send(encodeFrame([], PROOF.response.encode(answer)))
    }
  })
  return { libp2p }
}

/** What comes of it for who has the content, and for who has not. */
const outcomesOf = async (lie: Lie) => {
  const liar = await startLiar(lie)
  return [await outcomeOf(mirror, liar, record), await outcomeOf(stranger, liar, record)]
}

const flipped = (bytes: Uint8Array, at = bytes.byteLength - 1): Uint8Array => {
  const changed = Uint8Array.from(bytes)
  changed[at]! ^= 1
  return changed
}
/** Says that a byte which is under the page with most bytes is under another page. */
const shifted = ({ block, weights }: ProofResponse['nodes'][number]): ProofResponse['nodes'][number] => {
  const said = Buffer.from(weights)
  const places = Array.from({ length: said.byteLength / 8 }, (_, at) => at * 8)
  const most = places.reduce((a, b) => (said.readBigUInt64LE(b) > said.readBigUInt64LE(a) ? b : a))
  const other = most === 0 ? 8 : 0
  said.writeBigUInt64LE(said.readBigUInt64LE(most) - 1n, most)
  said.writeBigUInt64LE(said.readBigUInt64LE(other) + 1n, other)
  return { block, weights: said }
}
const WRONG = ['BYTES_WRONG', 'BYTES_WRONG']

it('who tells the truth proves it, or nothing below would show anything', async () => {
  for (const outcome of await outcomesOf(answer => answer)) expect(outcome).toBeTypeOf('object')
})

describe('it is no proof', () => {
  it.each<[string, Lie]>([
    [
      'a changed digest, node, page or chunk',
      ({ digests, nodes, blocks }) => ({
        digests: flipped(digests ?? new Uint8Array(1)).subarray(0, digests?.byteLength ?? 0),
        nodes: nodes ?? [],
        blocks: (blocks ?? []).map(block => flipped(block))
      })
    ],
    ['no digests, and no blocks', ({ nodes }) => ({ nodes: nodes ?? [] })],
    [
      'the way without the chunk',
      ({ digests, nodes, blocks }) => ({
        digests: digests?.map(() => 0) ?? new Uint8Array(),
        nodes: nodes ?? [],
        blocks: blocks?.slice(0, -1) ?? []
      })
    ]
  ])('that it answers with %s', async (_, lie) => {
    expect(await outcomesOf(lie)).toEqual(WRONG)
  })

  it('what is of another content, whatever its name is', async () => {
    const prover = new Prover({ store: holder.library.content, maps: holder.maps })
    const { content } = other.release
    const challenger = mirror.libp2p.peerId.toMultihash().bytes
    const lie: Lie = async (_, { nonce, nodes, sample }) => {
      if (sample !== undefined)
        return { blocks: await prover.blocks(content, { page: sample.page, offset: 0 }, signal) }
      if (nodes.length > 0)
        return { nodes: await Promise.all(nodes.map(place => prover.node(content, place, signal))) }
      const at = { nonce, challenger, holder: liars.at(-1)!.peerId.toMultihash().bytes }
      return { digests: Buffer.concat(await prover.digests(content, at, signal)) }
    }
    expect(await outcomesOf(lie)).toEqual(WRONG)
    const onlyBelow: Lie = (answer, request, stream) =>
      request.sample === undefined ? answer : lie(answer, request, stream)
    const liar = await startLiar(onlyBelow)
    expect(await outcomeOf(stranger, liar, record)).toBe('BYTES_WRONG')
  })

  it('what is of that content, and of another place', async () => {
    const prover = new Prover({ store: holder.library.content, maps: holder.maps })
    const { content } = record.release
    const liar = await startLiar(async (answer, { sample }) =>
      sample === undefined ? answer : { blocks: await prover.blocks(content, { page: 0, offset: 0 }, signal) }
    )
    expect(await outcomeOf(stranger, liar, record)).toBe('BYTES_WRONG')
  })

  it('a sum that is wrong by a byte, where it shows at the page only', async () => {
    // The manifest of this content has one node: what it says is not checked by another one.
    const liar = await startLiar(answer => (answer.nodes ? { nodes: answer.nodes.map(shifted) } : answer))
    expect(await outcomeOf(stranger, liar, record)).toBe('BYTES_WRONG')
  })

  it('an answer that is from an earlier challenge, also of a content of one chunk', async () => {
    const tiny = await publish(holder, [{ name: 'tiny', body: 'a few bytes' }], 'tiny')
    await give(holder, mirror, tiny)
    for (const release of [record, tiny]) {
      let first: Partial<ProofResponse> | undefined
      const liar = await startLiar(answer => {
        first ??= answer
        return first
      })
      expect(await outcomeOf(mirror, liar, release)).toBeTypeOf('object')
      expect(await outcomeOf(mirror, liar, release)).toBe('BYTES_WRONG')
    }
  })

  it('an answer that somebody else has made for it', async () => {
    const from: ProofPeer[] = []
    const liar = await startLiar(async (_, request) => await passOn(from[0]!, request))
    from.push({ ...stranger, libp2p: liar.libp2p })
    expect(await outcomeOf(mirror, liar, record)).toBe('BYTES_WRONG')
    // Whoever asks for the bytes gets them: that a peer fetches them only then, nothing shows.
    expect(await outcomeOf(stranger, liar, record)).toBeTypeOf('object')
  })

  it('half of it', async () => {
    const isHeld = (block: Uint8Array): boolean => (block[0]! & 1) === 0
    const halved: Lie = ({ digests, ...answer }) => ({
      ...answer,
      // Of each second digest it can only guess.
      ...(digests === undefined ? {} : { digests: digests.map((byte, at) => (at & 32 ? 0 : byte)) }),
      ...(answer.blocks === undefined
        ? {}
        : { blocks: answer.blocks.filter((block, at) => at === 0 || isHeld(block)) })
    })
    const liar = await startLiar(halved)
    expect(await outcomeOf(mirror, liar, record)).toBe('BYTES_WRONG')
    const outcomes: unknown[] = []
    for (let times = 0; times < 10; times++) outcomes.push(await outcomeOf(stranger, liar, record))
    expect(outcomes.filter(outcome => outcome === 'BYTES_WRONG').length).toBeGreaterThan(6)
  })
})

/** Asks the holder the same question. */
async function passOn(
  from: Pick<ProofPeer, 'libp2p'>,
  request: ProofRequest
): Promise<Partial<ProofResponse>> {
  const peerId = await introduce(from.libp2p, holder.libp2p)
  const client = await ExchangeClient.open(from.libp2p, PROOF, NETWORK, { peerId, addresses: [] }, signal)
  try {
    return await client.ask(request)
  } finally {
    client.close()
  }
}

describe('it breaks the protocol', () => {
  const frame = (body: Uint8Array): Uint8Array => encodeFrame([], body)
  it.each<[string, string, (stream: Stream) => void]>([
    ['garbage', 'PROTOCOL_VIOLATION', stream => stream.send(frame(pseudoRandom('garbage', 3000)))],
    [
      'more than an answer can be',
      'PROTOCOL_VIOLATION',
      stream => stream.send(frame(new Uint8Array(513 * KIB)))
    ],
    [
      'half a frame and the end',
      'STREAM_TRUNCATED',
      stream => {
        stream.send(frame(new Uint8Array(5000)).subarray(0, 2000))
        void stream.close()
      }
    ],
    ['the end', 'STREAM_TRUNCATED', stream => void stream.close()],
    ['a reset', 'STREAM_TRUNCATED', stream => stream.abort(new Error('gone'))]
  ])('who answers with %s', async (_, code, say) => {
    expect(
      await outcomesOf((_answer, _request, stream) => {
        say(stream)
        return undefined
      })
    ).toEqual([code, code])
  })

  it('who says more of itself than there can be', async () => {
    const told = { member: new Uint8Array(600), demand: new Uint8Array() }
    const liar = await startLiar((answer, request) => (request.tell ? { ...answer, ...told } : answer))
    expect(await outcomeOf(stranger, liar, record)).toBe('PROTOCOL_VIOLATION')
  })
})

describe('it is too late', () => {
  const late = async (lie: Lie): Promise<unknown> => {
    const clock = new ManualClock()
    const challenger = await startProofPeer({ clientClock: clock })
    try {
      const asked = Promise.withResolvers<void>()
      const liar = await startLiar((...args) => {
        asked.resolve()
        return lie(...args)
      })
      const outcome = outcomeOf(challenger, liar, record, signal)
      await asked.promise
      await clock.advance(LATE_MS + 500, 500)
      return await outcome
    } finally {
      await challenger.close()
    }
  }

  it('when nothing comes', async () => {
    expect(await late(() => undefined)).toBe('TIMEOUT')
  })

  it('when it comes drop by drop', async () => {
    const drip: Lie = (answer, _request, stream) => {
      const bytes = encodeFrame([], PROOF.response.encode(answer))
      void (async () => {
        for (let at = 0; at < bytes.byteLength && stream.status === 'open'; at++) {
          stream.send(bytes.subarray(at, at + 1))
          await systemClock.wait(5)
        }
      })()
      return undefined
    }
    expect(await late(drip)).toBe('TIMEOUT')
  })
})
