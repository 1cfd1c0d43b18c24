/**
 * A closed library whose writer is away. Members that have never met find each other under its secret key, at an outsider that all of
 * them are connected to: it keeps keys, tells who claims them, and hears of nothing that it could name.
 */
import { peerIdFromString } from '@libp2p/peer-id'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { nameKey } from '../../discovery/index.ts'
import type { ReleaseRecord } from '../../library/index.ts'
import { protocolId } from '../../protocols/index.ts'
import { libraryIdOf } from '../../sync/index.ts'
import { eventually, type TestDaemon, TestNet } from '../daemon/support.ts'
import { contentOf } from '../unit/records/examples.ts'
import { keysOf } from './support/questions.ts'
import { hex, NETWORK, RawPeer } from './support/raw-peer.ts'
import { peerIdOfHome, TEAM } from './support/scene.ts'

/** Nothing comes because its time has come. */
const NEVER = '7d'
const NAME = 'team-tools'

let net: TestNet
let outsider: RawPeer
/** Streams for content or sessions that somebody opened at the outsider. */
let streams = 0
let writer: TestDaemon
let holder: TestDaemon
let releases: ReleaseRecord[]
/** The key of the library, in hex: all that its holder claims. */
let secret: string

beforeAll(async () => {
  net = await TestNet.create()
  outsider = await RawPeer.start({ isHub: true })
  for (const name of ['content', 'sync'])
    await outsider.node.handle(protocolId(NETWORK, name, 1), stream => {
      streams++
      stream.abort(new Error('nothing is here'))
    })
  writer = await net.start('writer')
  const members = await Promise.all(['holder', 'fetcher', 'follower'].map(name => peerIdOfHome(net, name)))
  await writer.ok('POST', '/v1/libraries', { name: TEAM, access: 'restricted', members })
  const first = await publish('1.0.0')
  for (const name of ['fetcher', 'follower']) await visit(name)
  releases = [first, await publish('2.0.0')]
  holder = await start('holder')
  await holder.ok('POST', '/v1/peers', { address: writer.address })
  await holder.ok('POST', '/v1/follows', { library: `${writer.peerId}/${TEAM}`, content: 'all' })
  await eventually(async () => (await statesAt(holder)).join() === 'complete,complete')
  const [key] = await eventually(async () => {
    const keys = outsider.claimedBy(holder.peerId)
    return keys.length > 0 && keys
  })
  secret = key!
  await writer.stop()
})
afterAll(async () => {
  await outsider?.stop()
  await net?.destroy()
})

const start = (name: string): Promise<TestDaemon> =>
  net.start(name, {
    set: {
      'network.bootstrap': outsider.node.getMultiaddrs()[0]!.toString(),
      'sync.interval': NEVER
    }
  })

const publish = async (version: string): Promise<ReleaseRecord> =>
  (await writer.publish({ name: NAME, version, files: { 'readme.md': version }, library: TEAM })).record

/** Has a member take over what the library has now, without content, and go. */
async function visit(name: string): Promise<void> {
  const member = await start(name)
  const { state } = await member.operation('/v1/sync', { peer: writer.address, library: TEAM })
  expect(state).toBe('done')
  await member.stop()
}

/** How much of the content of its releases is there, the newest first. */
async function statesAt(daemon: TestDaemon): Promise<string[]> {
  const { json } = await daemon.api('GET', `/v1/packages/${NAME}`)
  return (json.versions ?? []).map(({ local }: { local: string }) => local)
}

const isConnected = async (daemon: TestDaemon, other: TestDaemon): Promise<boolean> =>
  (await daemon.ok('GET', '/v1/peers')).peers.some(
    ({ peerId }: { peerId: string }) => peerId === other.peerId
  )

it('has its content fetched from a member that only the secret key leads to', async () => {
  const fetcher = await start('fetcher')
  expect(await isConnected(fetcher, holder)).toBe(false)
  expect(await statesAt(fetcher)).toEqual(['none'])
  const before = outsider.heard.sought.length
  const wanted = { spec: `${NAME}@1.0.0` }
  const unsaid = await fetcher.operation('/v1/fetches', wanted)
  expect(unsaid.error, 'nobody else was asked whose the name is').toMatchObject({ code: 'OWNER_UNCONFIRMED' })
  const { publisher } = (unsaid.error as unknown as { details: { publisher: string } }).details
  const { result, error } = await fetcher.operation('/v1/fetches', { ...wanted, publisher })
  expect(error).toBeUndefined()
  expect(result).toMatchObject({ name: NAME, sources: [{ peerId: holder.peerId }] })
  expect(outsider.heard.sought.slice(before)).toContain(secret)
})

it('is followed by a member that asks for the secret key', async () => {
  const follower = await start('follower')
  expect(await isConnected(follower, holder)).toBe(false)
  const before = outsider.heard.sought.length
  await follower.ok('POST', '/v1/follows', { library: `${writer.peerId}/${TEAM}` })
  await eventually(async () => (await statesAt(follower)).join() === 'none,none')
  expect(outsider.heard.sought.slice(before)).toContain(secret)
  // What it does hear of, so that the silence below is one.
  for (const spec of ['nowhere-tools', contentOf('nowhere').toString()])
    expect((await follower.operation('/v1/fetches', { spec })).state).toBe('failed')
  expect(outsider.heard.sought).toContain(hex(nameKey('nowhere-tools')))
  expect([...outsider.heard.asked]).toContain(hex(contentOf('nowhere').bytes))
})

it('is in no key, name or id that the outsider was asked for, told of or asked to keep', () => {
  const { keys, sought, asked, watched } = outsider.heard
  const { raw } = peerIdFromString(writer.peerId).publicKey!
  const library = libraryIdOf(raw, TEAM)
  const known = releases.flatMap(({ id, release: { name, content } }) => [
    name,
    hex(id.bytes),
    hex(library),
    ...keysOf({ library, name, release: id.bytes, content: content.bytes }).map(hex)
  ])
  const heard = [...keys, ...sought, ...asked, ...watched]
  expect(heard.filter(text => known.includes(text))).toEqual([])
  expect(heard.length, 'of other things it did').toBeGreaterThan(0)
  expect(streams).toBe(0)
})
