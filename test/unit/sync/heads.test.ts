/** Heads: their bytes (frozen vectors of docs/sync.md: when one fails, the code is wrong), and what is made of those that come. */
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { DAY_MS, MINUTE_MS } from '../../../base/index.ts'
import { MAX_HEAD_BYTES } from '../../../protocols/index.ts'
import {
  decodeHead,
  HEAD_LIFETIME_MS,
  type Head,
  type HeadStatement,
  type HeadVerdict,
  isExpired,
  isForgotten,
  isRenewalDue,
  judgeHead,
  libraryIdOf,
  nextHead,
  type OwnHead,
  signHead
} from '../../../sync/index.ts'
import { SigningKey } from '../../../trust/index.ts'
import { codeOf, keyOf, NOW_MS } from '../records/examples.ts'
import { hashOf, hex, unhex } from './tries.ts'

interface HeadsFile {
  seed: string
  libraryName: string
  library: string
  heads: Array<{ name: string; fields: Record<string, string | number>; head: string; hash: string }>
  withUnknownField: string
  invalid: Array<{ name: string; code: string; head: string }>
}
const vectors = JSON.parse(
  readFileSync(new URL('../../fixtures/vectors/sync/heads.json', import.meta.url), 'utf8')
) as HeadsFile

const node = keyOf('a node')
const library = libraryIdOf(node.publicKey, 'home')
const place = Buffer.from('here')

describe('the bytes of a head', () => {
  const signer = SigningKey.fromSeed(unhex(vectors.seed))

  test.each(vectors.heads)('$name', ({ fields, head, hash }) => {
    const read = decodeHead(unhex(head))
    const { bytes, hash: own, ...rest } = read
    const shown = Object.entries(rest).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? hex(value) : value
    ])
    expect(Object.fromEntries(shown)).toEqual({ isClosed: false, ...fields })
    expect([hex(own), hex(bytes)]).toEqual([hash, head])
    const { writer: _, ...statement } = rest
    expect(hex(signHead(statement, signer).bytes)).toBe(head)
    expect(bytes.byteLength).toBeLessThan(MAX_HEAD_BYTES / 2)
  })

  test('of a library whose id is made of its writer and name', () => {
    expect(hex(libraryIdOf(signer.publicKey, vectors.libraryName))).toBe(vectors.library)
    expect(hex(libraryIdOf(signer.publicKey, 'other'))).not.toBe(vectors.library)
  })

  test('keep fields that this version does not know', () => {
    const { bytes } = decodeHead(unhex(vectors.withUnknownField))
    expect(hex(bytes)).toBe(vectors.withUnknownField)
  })

  test.each(vectors.invalid)('refused: $name', ({ code, head }) => {
    expect(codeOf(() => decodeHead(unhex(head)))).toBe(code)
  })

  test('with any byte changed are no head, and neither are any other bytes', () => {
    const good = unhex(vectors.heads[1]!.head)
    fc.assert(
      fc.property(fc.nat(good.byteLength - 1), fc.integer({ min: 1, max: 255 }), (at, bits) => {
        const changed = Uint8Array.from(good)
        changed[at]! ^= bits
        expect(codeOf(() => decodeHead(changed))).toMatch(/^(HEAD_INVALID|SIGNATURE_INVALID|UNSUPPORTED)$/)
      }),
      { numRuns: 300 }
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: MAX_HEAD_BYTES + 10 }), bytes => {
        expect(codeOf(() => decodeHead(bytes))).toBe('HEAD_INVALID')
      })
    )
  })
})

/** A chain of heads of one writer. */
class Writer {
  last: OwnHead | undefined
  nowMs = NOW_MS
  place: Uint8Array = place

  sign(root: string, over: Partial<HeadStatement> = {}): Head {
    const { last, nowMs } = this
    const statement = nextHead({
      library,
      root: hashOf(root),
      last,
      place: this.place,
      isClosed: false,
      nowMs
    })
    const head = signHead({ ...statement, ...over }, node)
    this.last = { head, place: this.place }
    this.nowMs += 1000
    return head
  }

  /** The same writer as it is now, to go on on its own. */
  copy(): Writer {
    return Object.assign(new Writer(), { last: this.last, nowMs: this.nowMs })
  }
}

describe('a head that comes', () => {
  const writer = new Writer()
  const [one, two, three, four] = ['a', 'b', 'c', 'd'].map(root => writer.sign(root)) as [
    Head,
    Head,
    Head,
    Head
  ]
  const backup = new Writer()
  backup.last = { head: two, place }
  const [forked, forkedOn, forkedFar] = ['x', 'y', 'z'].map(root => backup.sign(root)) as [Head, Head, Head]
  const sameRoot = signHead({ ...three, time: three.time + 5, expires: three.expires }, node)
  const renewed = new Writer()
  renewed.last = { head: three, place: Buffer.from('elsewhere') }
  const newEpoch = renewed.sign('c')
  const far = signHead({ ...four, time: NOW_MS + 11 * MINUTE_MS, expires: NOW_MS + DAY_MS }, node)
  const soon = signHead({ ...four, time: NOW_MS + 9 * MINUTE_MS, expires: NOW_MS + DAY_MS }, node)

  test.each<[string, Head | undefined, Head, HeadVerdict]>([
    ['is the first', undefined, three, 'newer'],
    ['follows', one, two, 'newer'],
    ['comes after some that were missed', one, four, 'newer'],
    ['is known', three, three, 'known'],
    ['says the same once more', three, sameRoot, 'known'],
    ['goes back', three, two, 'older'],
    ['goes far back', four, one, 'older'],
    ['is of a new epoch', three, newEpoch, 'newer'],
    ['is of the epoch before', newEpoch, four, 'older'],
    ['is dated too far ahead', three, far, 'early'],
    ['is the first, and dated too far ahead', undefined, far, 'early'],
    ['is dated a little ahead', three, soon, 'newer'],
    ['has another root for a known revision', three, forked, 'contradiction'],
    ['follows another than the known one', three, forkedOn, 'contradiction'],
    ['is the one that the known one does not follow', forkedOn, three, 'contradiction'],
    ['is too far from the known one to tell', three, forkedFar, 'newer']
  ])('%s', (_, known, incoming, verdict) => {
    expect(judgeHead(known, incoming, NOW_MS)).toBe(verdict)
  })

  test('of an honest writer is never a contradiction, in whatever order its heads come', () => {
    const action = fc.constantFrom('change', 'renew', 'move')
    fc.assert(
      fc.property(
        fc.array(action, { minLength: 1, maxLength: 20, size: 'max' }),
        fc.array(fc.nat(), { maxLength: 60, size: 'max' }),
        (actions, order) => {
          const honest = new Writer()
          const heads = actions.map((kind, index) => {
            if (kind === 'move') honest.place = Buffer.from(`place ${index}`)
            return honest.sign(kind === 'change' ? `root ${index}` : 'root')
          })
          let known: Head | undefined
          for (const at of order) {
            const incoming = heads[at % heads.length]!
            const verdict = judgeHead(known, incoming, honest.nowMs)
            expect(verdict).not.toBe('contradiction')
            const isNewer = known === undefined || heads.indexOf(incoming) > heads.indexOf(known)
            expect(verdict === 'newer').toBe(isNewer)
            if (verdict === 'newer') known = incoming
          }
        }
      )
    )
  })

  test('of a backup that was put back elsewhere begins a new epoch, and contradicts nothing', () => {
    const original = writer.copy()
    const restored = backup.copy()
    restored.last = { head: two, place }
    restored.place = Buffer.from('another disk')
    for (let round = 0; round < 3; round++) {
      const [a, b] = [original.sign(`a ${round}`), restored.sign(`b ${round}`)]
      expect(judgeHead(a, b, restored.nowMs)).toBe('newer')
      expect(judgeHead(b, a, original.nowMs)).toBe('older')
    }
  })

  test('holds for a week', () => {
    expect(isExpired(one, one.time + HEAD_LIFETIME_MS - 1)).toBe(false)
    expect(isExpired(one, one.time + HEAD_LIFETIME_MS)).toBe(true)
    expect(isRenewalDue(one, one.time + DAY_MS - 1)).toBe(false)
    expect(isRenewalDue(one, one.time + DAY_MS)).toBe(true)
  })
})

describe('one’s own head that comes back', () => {
  const writer = new Writer()
  const [one, two] = [writer.sign('a'), writer.sign('b')]
  const other = new Writer()
  other.last = { head: one, place }
  const lost = other.sign('c')

  test.each<[string, Head | undefined, Head, boolean]>([
    ['and is the last', two, two, false],
    ['and is an earlier one', two, one, false],
    ['and was never signed here', two, lost, true],
    ['and is ahead', one, two, true],
    ['and nothing is remembered', undefined, one, true],
    ['from a later epoch', one, signHead({ ...two, epoch: two.epoch + 1 }, node), true],
    ['from an earlier epoch', signHead({ ...two, epoch: two.epoch + 1 }, node), two, false]
  ])('%s', (_, last, seen, forgotten) => {
    expect(isForgotten(last, seen)).toBe(forgotten)
  })

  test('makes an epoch after it, whatever the clock says', () => {
    const seen = signHead({ ...two, epoch: NOW_MS + 99 * DAY_MS }, node)
    const next = { library, root: hashOf('d'), place, isClosed: false, nowMs: NOW_MS, afterEpoch: seen.epoch }
    for (const last of [undefined, { head: two, place }]) {
      const head = signHead(nextHead({ ...next, last }), node)
      expect(judgeHead(seen, head, NOW_MS)).toBe('newer')
      expect(head.revision).toBe(last === undefined ? 1 : 3)
    }
  })
})
