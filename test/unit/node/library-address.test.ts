import { describe, expect, test } from 'vitest'
import { CONFIG_KEYS } from '../../../config/keys.ts'
import { valueFromRaw } from '../../../config/values.ts'
import { formatAddress, idOfAddress, parseAddress } from '../../../node/services/library-address.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { libraryIdOf } from '../../../sync/index.ts'
import { keyOf } from '../records/examples.ts'

const { publicKey } = keyOf('ada')
const ADA = peerOf(publicKey)
const BOB = peerOf(keyOf('bob').publicKey)

describe('the address of a library', () => {
  test('is the peer id of a node and a name there, or the peer id alone for its home', () => {
    expect(parseAddress(ADA)).toEqual({ writer: ADA, name: 'home' })
    expect(parseAddress(`${ADA}/home`)).toEqual({ writer: ADA, name: 'home' })
    expect(parseAddress(`${ADA}/tools-1.x_y`)).toEqual({ writer: ADA, name: 'tools-1.x_y' })
    const longest = `0${'a'.repeat(63)}`
    for (const text of [ADA, `${ADA}/tools`, `${ADA}/${longest}`])
      expect(formatAddress(parseAddress(text))).toBe(text)
    expect(formatAddress({ writer: ADA, name: 'home' }), 'one form of each').toBe(ADA)
  })

  test('is a name alone where the node is clear, and never where it is not', () => {
    expect(parseAddress('tools', BOB)).toEqual({ writer: BOB, name: 'tools' })
    expect(parseAddress(ADA, BOB)).toEqual({ writer: ADA, name: 'home' })
    expect(parseAddress(`${ADA}/tools`, BOB)).toEqual({ writer: ADA, name: 'tools' })
    expect(() => parseAddress('tools')).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })

  test('may stand in the configuration, with a policy behind it', () => {
    const { schema } = CONFIG_KEYS.get('sync.follow')!
    const good = [ADA, `${ADA} all`, `${ADA}/tools`, `${ADA}/tools wanted`]
    expect(valueFromRaw(schema, good)).toEqual(good)
    for (const line of [
      'tools',
      `${ADA}/`,
      `${ADA}/Tools all`,
      `${ADA}/a/b`,
      `${ADA}/tools  all`,
      `${ADA}/all some`
    ])
      expect(valueFromRaw(schema, [line]), line).toBeUndefined()
  })

  test('leads to the id that nodes know it by', () => {
    expect(idOfAddress(parseAddress(ADA))).toEqual(libraryIdOf(publicKey, 'home'))
    expect(idOfAddress(parseAddress(`${ADA}/tools`))).toEqual(libraryIdOf(publicKey, 'tools'))
  })

  test.each([
    '',
    '/',
    '/tools',
    ADA.slice(1),
    `${ADA}/`,
    `${ADA}/Tools`,
    `${ADA}/.hidden`,
    `${ADA}/-x`,
    `${ADA}/a/b`,
    `${ADA}//tools`,
    `${ADA}/${'a'.repeat(65)}`,
    `${ADA}/tools `,
    `${ADA}/tools\n`,
    `${ADA}/t\u00f6ols`,
    `${ADA} /tools`,
    '/ip4/127.0.0.1/udp/4001/quic-v1'
  ])('is not %j', text => {
    for (const peer of [undefined, BOB])
      expect(() => parseAddress(text, peer)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
