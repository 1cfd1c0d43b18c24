import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock, toCatalogError } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { ExchangeClient, PROOF, ProofClient } from '../../../protocols/index.ts'
import type { ProofRequest } from '../../../protocols/proof/messages.js'
import { NOT_HERE_MS } from '../../../protocols/wire/not-here.ts'
import { pseudoRandom, type TarEntry } from '../content/fakes.ts'
import { NETWORK, publish } from '../fetch/peers.ts'
import { introduce } from './nodes.ts'
import { give, outcomeOf, type ProofPeer, startProofPeer } from './proof-peers.ts'

const NOTHING_TOLD = { member: new Uint8Array(), demand: new Uint8Array() }

const files = (count: number, sizeBytes: number): TarEntry[] =>
  Array.from({ length: count }, (_, number) => ({
    name: `f${String(number).padStart(6, '0')}`,
    body: pseudoRandom(`file ${number}`, sizeBytes)
  }))

const SHAPES: Record<string, TarEntry[]> = {
  nothing: [],
  'an empty file': [{ name: 'empty', body: '' }],
  'a byte': [{ name: 'byte', body: 'x' }],
  'links and folders': [
    { name: 'a-folder', type: 'directory' },
    { name: 'b-link', type: 'symlink', linkname: 'a-folder' }
  ],
  'links on many pages': Array.from({ length: 900 }, (_, number) => ({
    name: `l${String(number).padStart(4, '0')}`,
    type: 'symlink' as const,
    linkname: 'somewhere'
  })),
  'a file of many chunks': [{ name: 'big', body: pseudoRandom('big', 3_000_000) }],
  'many small files': files(1200, 700),
  'pages under two levels': files(7000, 20),
  'one large among many small': [...files(400, 10), { name: 'z-big', body: pseudoRandom('z', 2_000_000) }]
}

/** Whom the holder lets read, and what it says of itself. */
let isLetIn = true
let told: Partial<Record<'member' | 'demand', Uint8Array>> = {}
afterEach(() => {
  isLetIn = true
  told = {}
})

let holder: ProofPeer
let mirror: ProofPeer
let stranger: ProofPeer
beforeAll(async () => {
  const proof = {
    mayRead: () => isLetIn,
    told: { member: () => told.member, demand: () => told.demand }
  }
  ;[holder, mirror, stranger] = await Promise.all([
    startProofPeer({ proof }),
    startProofPeer(),
    startProofPeer()
  ])
})
afterAll(() => Promise.all([holder, mirror, stranger].map(peer => peer?.close())))

describe.each(Object.entries(SHAPES))('a holder of %s', (name, entries) => {
  let record: ReleaseRecord
  beforeAll(async () => {
    record = await publish(holder, entries, `shape-${name.replaceAll(' ', '-')}`)
  })

  it('proves it to one who does not have it, by its bytes', async () => {
    expect(await outcomeOf(stranger, holder, record)).toEqual(NOTHING_TOLD)
  })

  it('proves it to one who has it, by digests', async () => {
    await give(holder, mirror, record)
    expect(await outcomeOf(mirror, holder, record)).toEqual(NOTHING_TOLD)
  })
})

it('any content is proved both ways, by who has published it as by who has fetched it', async () => {
  const entry = fc.record({
    kind: fc.constantFrom('file' as const, 'symlink' as const, 'directory' as const),
    sizeBytes: fc.oneof(fc.nat(40), fc.nat(200_000))
  })
  let number = 0
  const property = fc.asyncProperty(fc.array(entry, { maxLength: 60 }), async drawn => {
    const entries = drawn.map(({ kind, sizeBytes }, at): TarEntry => {
      const name = `e${String(at).padStart(3, '0')}`
      if (kind === 'file') return { name, body: pseudoRandom(`${sizeBytes} ${at}`, sizeBytes) }
      return kind === 'symlink' ? { name, type: kind, linkname: 'e000' } : { name, type: kind }
    })
    const record = await publish(holder, entries, `drawn-${number++}`)
    expect(await outcomeOf(stranger, holder, record)).toEqual(NOTHING_TOLD)
    await give(holder, mirror, record)
    expect(await outcomeOf(holder, mirror, record)).toEqual(NOTHING_TOLD)
  })
  await fc.assert(property, { numRuns: 15 })
})

it.each([0, 1, -1])('a holder is not blamed where the record states another size (%i)', async by => {
  for (const [name, entries] of [
    ['sized-one', files(3, 100)],
    ['sized-many', files(200, 100)]
  ] as const) {
    const { release } = await publish(holder, entries, name)
    const sizeBytes = by === 0 ? 0 : release.sizeBytes + by
    expect(await outcomeOf(stranger, holder, { release: { ...release, sizeBytes } })).toBe('CONTENT_INVALID')
  }
})

describe('with a proof', () => {
  it('comes what the holder says of itself', async () => {
    const record = await publish(holder, files(3, 100), 'telling')
    told = { member: Buffer.from('its record'), demand: Buffer.from('what it served') }
    const said = { member: Uint8Array.from(told.member!), demand: Uint8Array.from(told.demand!) }
    expect(await outcomeOf(stranger, holder, record)).toEqual(said)
    await give(holder, mirror, record)
    expect(await outcomeOf(mirror, holder, record)).toEqual(said)
  })
})

describe('no proof is given', () => {
  let record: ReleaseRecord
  beforeAll(async () => {
    record = await publish(holder, files(3, 100), 'secret')
    await give(holder, mirror, record)
  })
  const ask = (peer: ProofPeer, release: Partial<ReleaseRecord['release']> = {}) =>
    outcomeOf(peer, holder, { release: { ...record.release, ...release } })

  it('of what the asker may not know of', async () => {
    expect(await ask(mirror)).toEqual(NOTHING_TOLD)
    isLetIn = false
    expect(await ask(mirror)).toBe('NOT_FOUND')
    expect(await ask(stranger)).toBe('NOT_FOUND')
  })

  it('of a content under the name of another one, or of another owner', async () => {
    const other = await publish(holder, files(2, 50), 'other')
    const { content, sizeBytes } = other.release
    expect(await ask(stranger, { content, sizeBytes })).toBe('NOT_FOUND')
    expect(await ask(stranger, { name: 'nowhere' })).toBe('NOT_FOUND')
    expect(await ask(stranger, { version: '9.9.9' })).toBe('NOT_FOUND')
    expect(await ask(stranger, { owner: new Uint8Array(32) })).toBe('NOT_FOUND')
  })

  it('of a release of which only the record is here', async () => {
    const elsewhere = await publish(mirror, files(2, 60), 'elsewhere')
    await holder.library.registry.add(elsewhere.bytes)
    expect(await outcomeOf(stranger, holder, elsewhere)).toBe('NOT_FOUND')
  })

  it('by who cannot be dialled in time: that says nothing of what it holds', async () => {
    const { library, libp2p, maps } = mirror
    const silent = {
      peerId: libp2p.peerId,
      getConnections: () => [],
      dial: async () => {
        throw new DOMException('The operation was aborted due to timeout', 'TimeoutError')
      }
    }
    const client = new ProofClient(
      { libp2p: silent as never, store: library.content, maps, clock: systemClock },
      { networkId: NETWORK }
    )
    const { release } = await publish(holder, [{ name: 'file', body: 'x' }], 'unreachable')
    await expect(
      client.challenge(holder.libp2p.peerId, release, new AbortController().signal)
    ).rejects.toMatchObject({ code: 'DIAL_FAILED' })
  })

  it('by who is stopped, and again when it goes on', async () => {
    await holder.server.stop()
    expect(await ask(stranger)).toBe('UNSUPPORTED')
    await holder.server.start()
    expect(await ask(stranger)).toEqual(NOTHING_TOLD)
  })
})

describe('the same answer, at its time, is given', () => {
  const questions: Array<[string, Partial<ProofRequest>]> = [
    ['of digests', { nonce: new Uint8Array(32).fill(1), tell: true }],
    ['of nodes', { nodes: [{ level: 0, index: 0 }] }],
    ['of a sample', { sample: { page: 0, offset: 0 }, tell: true }]
  ]
  it.each(questions)(
    '%s of what is closed, of what is not whole, and of what is nowhere',
    async (_, question) => {
      const closed = await publish(holder, files(40, 300), 'closed')
      const partly = await publish(mirror, files(40, 400), 'partly')
      await holder.library.registry.add(partly.bytes)
      const peerId = await introduce(stranger.libp2p, holder.libp2p)
      const ask = async ({ name, version, owner, content }: ReleaseRecord['release']) => {
        const target = { peerId, addresses: [] }
        const client = await ExchangeClient.open(
          stranger.libp2p,
          PROOF,
          NETWORK,
          target,
          AbortSignal.timeout(9000)
        )
        const startMs = performance.now()
        const error = await client
          .ask({ name, version, owner, content: content.bytes, ...question })
          .catch((thrown: unknown) => toCatalogError(thrown).toJSON())
        client.close()
        return { error, isLate: performance.now() - startMs >= NOT_HERE_MS - 1 }
      }
      isLetIn = false
      const answers = [
        await ask(closed.release),
        await ask({ ...closed.release, name: 'nowhere' }),
        await ask({ ...closed.release, content: partly.release.content })
      ]
      isLetIn = true
      answers.push(await ask(partly.release))
      expect(answers[0]).toMatchObject({ error: { code: 'NOT_FOUND' }, isLate: true })
      for (const answer of answers) expect(answer).toEqual(answers[0])
    }
  )
})
