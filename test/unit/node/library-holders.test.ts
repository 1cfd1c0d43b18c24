/** Who is asked for a followed library whose writer is away. Libraries and their access lists are real, the network is as told. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { keyText, libraryKey } from '../../../discovery/index.ts'
import { ACCESS_LIFETIME_MS } from '../../../library/index.ts'
import { LibraryHolders } from '../../../node/services/library-holders.ts'
import { keyOfList, LibraryKeys } from '../../../node/services/library-keys.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { libraryIdOf } from '../../../sync/index.ts'
import { keyOf } from '../records/examples.ts'
import { follow, numbered, SyncHome } from '../sync/homes.ts'
import { holderNetwork } from './holder-network.ts'

const { signal } = new AbortController()
const nodes = ['member', 'stranger', 'third', 'fourth', 'fifth', 'sixth'].map(name => keyOf(name).publicKey)
const [member = '', stranger = '', ...more] = nodes.map(peerOf)

let writer: SyncHome
let own: SyncHome
let holders: Map<string, string[]>
let online: string[]
/** What was done: keys searched for, and nodes dialled. */
let searched: string[]
let dialled: string[]
beforeEach(async () => {
  writer = await SyncHome.open('writer')
  own = await SyncHome.open('own')
  holders = new Map()
  online = [member, stranger, ...more]
  searched = []
  dialled = []
})
afterEach(() => Promise.all([writer.close(), own.close()]))

const keys = (): LibraryKeys =>
  new LibraryKeys(
    { sets: own.sets, clock: { now: () => own.nowMs }, logger: silentLogger },
    { writer: own.key.publicKey }
  )

function find(name: string): Promise<string[]> {
  const found = new LibraryHolders(
    {
      keys: keys(),
      access: own.sets.access,
      network: {
        ...holderNetwork({ holders, online, searched, dialled })
      },
      logger: silentLogger,
      random: () => 0.5
    },
    { maxWaiting: 10 }
  )
  const of = peerOf(writer.key.publicKey)
  return found.find(libraryIdOf(writer.key.publicKey, name), { writer: of, name }, signal)
}

const publicKey = (name: string): string => keyText(libraryKey(libraryIdOf(writer.key.publicKey, name)))

async function make(name: string, access: 'public' | 'restricted'): Promise<void> {
  const members = access === 'public' ? [] : [own.key.publicKey, ...nodes.slice(0, 1)]
  await writer.sets.access.create({ name, access, members })
  await writer.publishIn(name, numbered(1))
}

describe('a home', () => {
  test('is looked for by its id, also where nothing of it is here, and its writer is nobody else', async () => {
    holders.set(publicKey('home'), [peerOf(writer.key.publicKey), member])
    expect(await find('home')).toEqual([member])
    expect(searched).toEqual([publicKey('home')])
    expect(dialled).toEqual([member])
  })

  test('has four of those who claim it dialled, and those that cannot be reached are left out', async () => {
    holders.set(publicKey('home'), [member, stranger, ...more])
    online = [stranger]
    expect(await find('home')).toEqual([stranger])
    expect(dialled).toHaveLength(4)
  })

  test('that nobody announces is found nowhere', async () => {
    expect(await find('home')).toEqual([])
    expect(searched).toHaveLength(1)
  })
})

describe('another library', () => {
  test('is looked for by nobody before something of it is here: it may be closed', async () => {
    await make('tools', 'public')
    holders.set(publicKey('tools'), [member])
    expect(await find('tools')).toEqual([])
    expect(searched).toEqual([])
    await follow(own, writer, { of: writer, name: 'tools' })
    expect(await find('tools')).toEqual([member])
  })

  test('that is closed is looked for by its secret, with those who are on its list, and with nobody once that has run out', async () => {
    await make('team', 'restricted')
    await follow(own, writer, { of: writer, name: 'team' })
    const [copy = ''] = await own.sets.copies()
    const secret = keyText(keyOfList((await own.sets.access.accessOf(copy))!))
    holders.set(secret, [stranger, member])
    expect(await find('team')).toEqual([member])
    expect(searched).toEqual([secret])
    expect(dialled, 'strangers are not even dialled').toEqual([member])
    own.nowMs += ACCESS_LIFETIME_MS
    expect(await find('team')).toEqual([])
    expect(searched).toHaveLength(1)
  })
})
