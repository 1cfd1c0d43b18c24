/** Going down to samples of a content that one does not have: they are drawn from all bytes alike, whatever the holder says. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CID } from 'multiformats/cid'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import type { ContentStore, Library } from '../../../library/index.ts'
import { ByteMaps } from '../../../protocols/index.ts'
import { Descent, encodeWeights, type PageSample } from '../../../protocols/proof/descent.ts'
import type { Node, Place } from '../../../protocols/proof/messages.js'
import { Prover } from '../../../protocols/proof/prover.ts'
import { possessionDigest, sampleOffsets } from '../../../protocols/proof/samples.ts'
import { findPage } from '../../../protocols/proof/ways.ts'
import { sha256 } from '../../../trust/index.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar, pseudoRandom } from '../content/fakes.ts'
import { codeOf } from '../records/examples.ts'

const signal = AbortSignal.timeout(120_000)
/** Of which each challenge of these tests has one sample. */
const CHALLENGES = 2000

let home: string
let library: Library
let store: ContentStore
let prover: Prover
let content: CID
let sizeBytes: number
/** Bytes under each page. */
let sizes: number[]

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-descent-'))
  library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home })
  store = library.content
  const ingest = await store.beginIngest({})
  const entries = Array.from({ length: 600 }, (_, number) => ({
    name: `f${String(number).padStart(4, '0')}`,
    // Most are small, and a few have most of the bytes.
    body: pseudoRandom(`descent ${number}`, number % 97 === 0 ? 60_000 : 300 + number)
  }))
  await ingest.write(await makeTar(entries))
  ;({ content, sizeBytes } = await ingest.finish())
  prover = new Prover({ store, maps: new ByteMaps({ store }) })
  const manifest = await store.openManifest(content)
  sizes = await Promise.all(
    Array.from({ length: manifest.pageCount }, async (_, page) =>
      (await manifest.page(page)).reduce(
        (sum, entry) => sum + (entry.kind === 'file' ? entry.sizeBytes : 0),
        0
      )
    )
  )
  expect(sizes.length, 'a tree of two levels').toBeGreaterThan(32)
})
afterAll(async () => {
  await library.close()
  await rm(home, { recursive: true })
})

/** What a holder says of a node of which it has said `total` before. */
type Says = (place: Place & { honest: number[]; total: number }) => number[]

/** One sample; undefined when the holder has been found out on the way. */
async function descend(number: number, says: Says): Promise<PageSample | undefined> {
  const nonce = sha256(Buffer.from(`challenge ${number}`))
  const drawn = Number(Buffer.from(nonce).readBigUInt64BE() % BigInt(sizeBytes))
  const descent = new Descent(content, sizeBytes, () => [drawn])
  let said = [sizeBytes]
  try {
    for (let level = 2; descent.wanted.length > 0; level--) {
      const { index } = descent.wanted[0]!
      const { block, weights } = await answer({ level, index }, said[index % said.length]!, says)
      said = weights
      descent.take([{ block, weights: encodeWeights(weights) }])
    }
    const [sample] = descent.samples
    const page = await store.readBlock(
      await findPage({ read: id => store.readBlock(id) }, content, sample!.page, signal)
    )
    descent.checkPage(page, sample!)
    return sample
  } catch {
    return undefined
  }
}

/** Nodes that were asked for: each is asked for thousands of times. */
const nodes = new Map<string, Promise<Node>>()

async function answer(
  place: Place,
  total: number,
  says: Says
): Promise<{ block: Uint8Array; weights: number[] }> {
  const key = JSON.stringify(place)
  const asked = nodes.get(key) ?? prover.node(content, place, signal)
  nodes.set(key, asked)
  const { block, weights } = await asked
  const view = Buffer.from(weights)
  const honest = Array.from({ length: view.byteLength / 8 }, (_, at) => Number(view.readBigUInt64LE(at * 8)))
  return { block, weights: says({ ...place, honest, total }) }
}

const challenges = (says: Says): Promise<Array<PageSample | undefined>> =>
  Promise.all(Array.from({ length: CHALLENGES }, (_, number) => descend(number, says)))

describe('of an honest holder', () => {
  test('the samples are under each page as often as it has bytes', async () => {
    const hits = new Array<number>(sizes.length).fill(0)
    for (const sample of await challenges(({ honest }) => honest)) hits[sample!.page]!++
    let chiSquare = 0
    for (const [page, size] of sizes.entries()) {
      const expected = (CHALLENGES * size) / sizeBytes
      chiSquare += (hits[page]! - expected) ** 2 / expected
    }
    // Degrees of freedom, and five standard deviations.
    expect(chiSquare).toBeLessThan(sizes.length - 1 + 5 * Math.sqrt(2 * (sizes.length - 1)))
  })
})

describe('of one that has half of the bytes, and', () => {
  /** Has the pages up to one, with half of the bytes. */
  let isHeld: (page: number) => boolean
  let heldBytes: number
  beforeAll(() => {
    heldBytes = 0
    let pages = 0
    while (heldBytes < sizeBytes / 2) heldBytes += sizes[pages++]!
    isHeld = page => page < pages
  })

  const pagesOf = (level: number, child: number): number[] => {
    const span = 32 ** (level - 1)
    return sizes.map((_, page) => page).filter(page => Math.floor(page / span) === child)
  }
  const sizeOf = (pages: readonly number[]): number => pages.reduce((sum, page) => sum + sizes[page]!, 0)
  const heldBelow = (level: number, child: number): number => sizeOf(pagesOf(level, child).filter(isHeld))

  /** Moves what it should say of children where it has nothing to those where it has something. */
  const moving: Says = ({ level, index, honest, total }) => {
    const held = honest.map((_, child) => heldBelow(level, index * 32 + child))
    const best = held.indexOf(Math.max(...held))
    const said = held.slice()
    said[best]! += total - held.reduce((sum, weight) => sum + weight, 0)
    return said
  }
  /** Says the truth of pages, and moves only what is said of nodes. */
  const movingAbove: Says = place => (place.level === 1 ? place.honest : moving(place))
  const honestly: Says = ({ honest }) => honest
  const sayingLess: Says = ({ level, index, honest }) =>
    honest.map((_, child) => heldBelow(level, index * 32 + child))

  test.each([
    ['says so', honestly, 1],
    ['says that more is where it has something', moving, 1],
    ['says so of nodes and not of pages', movingAbove, 1],
    ['says nothing of what it has not', sayingLess, 0]
  ])('%s, no more samples are where it has something', async (_, says, least) => {
    const passed = (await challenges(says)).filter(
      sample => sample !== undefined && isHeld(sample.page)
    ).length
    const share = heldBytes / sizeBytes
    const deviation = Math.sqrt((share * (1 - share)) / CHALLENGES)
    expect(passed / CHALLENGES).toBeLessThan(share + 4 * deviation)
    if (least === 0) expect(passed).toBe(0)
  })
})

test('what a node says has to be of that node, whole, and for each node once', async () => {
  const root = await prover.node(content, { level: 0, index: 0 }, signal)
  const low = await prover.node(content, { level: 1, index: 0 }, signal)
  const begin = (): Descent => new Descent(content, sizeBytes, () => [0, sizeBytes - 1])
  const take = (...answered: Node[]) => codeOf(() => begin().take(answered))
  expect(take(root)).toBe('OK')
  expect(take()).toBe('BYTES_WRONG')
  expect(take(root, root)).toBe('BYTES_WRONG')
  expect(take(low)).toBe('BYTES_WRONG')
  expect(take({ ...root, block: root.block.subarray(1) })).toBe('BYTES_WRONG')
  expect(take({ ...root, weights: root.weights.subarray(8) })).toBe('BYTES_WRONG')
  expect(take({ ...root, weights: low.weights })).toBe('BYTES_WRONG')
  const descent = begin()
  descent.take([root])
  expect(descent.wanted.map(({ level }) => level)).toEqual([1, 1])
  expect(codeOf(() => descent.take([low, low]))).toBe('BYTES_WRONG')
})

test('samples come in the order in which they were drawn, wherever they are', async () => {
  const drawn = [sizeBytes - 1, 0, sizeBytes - 2, 1, Math.floor(sizeBytes / 2)]
  const descent = new Descent(content, sizeBytes, () => drawn)
  for (let level = 2; descent.wanted.length > 0; level--)
    descent.take(
      await Promise.all(descent.wanted.map(({ index }) => prover.node(content, { level, index }, signal)))
    )
  const before = (page: number): number => sizes.slice(0, page).reduce((sum, size) => sum + size, 0)
  expect(descent.samples.map(({ page, offset }) => before(page) + offset)).toEqual(drawn)
})

test('digests are of the chunks in which the samples are', async () => {
  const chunks: Array<{ endBytes: number; id: Uint8Array }> = []
  let endBytes = 0
  for await (const entry of (await store.openManifest(content)).entries())
    if (entry.kind === 'file')
      for await (const { id, lengthBytes } of store.chunks(entry.root, entry.sizeBytes)) {
        endBytes += lengthBytes
        chunks.push({ endBytes, id })
      }
  expect(endBytes).toBe(sizeBytes)
  for (let number = 0; number < 40; number++) {
    const [nonce, challenger, holder] = ['nonce', 'a', 'b'].map(text =>
      sha256(Buffer.from(`${text} ${number}`))
    )
    const challenge = { nonce: nonce!, challenger: challenger!, holder: holder! }
    const expected = sampleOffsets(nonce!, sizeBytes).map(async offset => {
      const { id } = chunks.find(chunk => offset < chunk.endBytes)!
      return possessionDigest(challenge, await store.readBlock(id))
    })
    expect(await prover.digests(content, challenge, signal)).toEqual(await Promise.all(expected))
  }
})

test('nodes of which nothing is wanted are asked for by nobody', async () => {
  const descent = new Descent(content, sizeBytes, () => [0, 1, 2])
  descent.take([await prover.node(content, { level: 0, index: 0 }, signal)])
  expect(descent.wanted).toEqual([{ level: 1, index: 0 }])
  descent.take([await prover.node(content, { level: 1, index: 0 }, signal)])
  expect(descent.wanted).toEqual([])
  expect(descent.samples.map(({ page, offset, weight }) => [page, offset, weight])).toEqual([
    [0, 0, sizes[0]],
    [0, 1, sizes[0]],
    [0, 2, sizes[0]]
  ])
})
