/** Access lists: their frozen bytes, what is no list, and whom one admits. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import {
  ACCESS_LIFETIME_MS,
  accessListKey,
  createAccessList,
  decodeAccessList,
  isAdmitted,
  recordHash,
  trieKey
} from '../../../library/index.ts'
import { SigningKey, sha256 } from '../../../trust/index.ts'
import vectors from '../../fixtures/vectors/records/access-lists.json' with { type: 'json' }

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))
const node = SigningKey.fromSeed(unhex(vectors.seed))
const library = unhex(vectors.library)

describe('the bytes of an access list', () => {
  test.each(vectors.lists)('$name', ({ access, group, members, ...expected }) => {
    const { secret, sequence } = decodeAccessList(unhex(expected.record))
    const named = group === undefined ? {} : { group }
    const list = { library, access, ...named, members: members.map(unhex), secret, sequence }
    const record = createAccessList(list, node)
    expect(hex(record.bytes)).toBe(expected.record)
    expect([record.id.toString(), hex(trieKey(record)), hex(recordHash(record.bytes))]).toEqual([
      expected.id,
      expected.trieKey,
      expected.recHash
    ])
    expect(hex(accessListKey(node.publicKey, library))).toBe(vectors.trieKey)
    const read = decodeAccessList(record.bytes)
    expect(read).toMatchObject({ access, ...named, library, writer: node.publicKey })
    expect(read.expires).toBe(read.sequence + ACCESS_LIFETIME_MS)
  })

  test.each(vectors.invalid)('refused: $name', ({ record }) => {
    expect(() => decodeAccessList(unhex(record))).toThrow(expect.objectContaining({ code: 'RECORD_INVALID' }))
  })

  test('are the same in whatever order the members are named, and however often', () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
    const list = { library, access: 'restricted', secret: new Uint8Array(32), sequence: 1_767_225_600_000 }
    fc.assert(
      fc.property(fc.array(key, { maxLength: 20 }), members => {
        const once = createAccessList({ ...list, members }, node)
        const again = createAccessList({ ...list, members: [...members, ...members].reverse() }, node)
        expect(again.bytes).toEqual(once.bytes)
      }),
      { seed: 11 }
    )
  })

  test('that would be no list are not signed', () => {
    const sign = (): unknown =>
      createAccessList(
        { library, access: 'Everybody!', members: [], secret: new Uint8Array(32), sequence: 1 },
        node
      )
    expect(sign).toThrow(CatalogError)
  })
})

test('a list admits its members while it holds, its node always, and nobody else', () => {
  const list = decodeAccessList(unhex(vectors.lists[0]!.record))
  const [member] = list.members
  const stranger = sha256(Buffer.from('stranger'))
  expect(isAdmitted(list, member!, list.expires - 1)).toBe(true)
  expect(isAdmitted(list, member!, list.expires)).toBe(false)
  expect(isAdmitted(list, node.publicKey, list.expires)).toBe(true)
  expect(isAdmitted(list, stranger, list.expires - 1)).toBe(false)
  expect(isAdmitted(list, new Uint8Array(), list.expires - 1), 'a peer with a key of another kind').toBe(
    false
  )
})
