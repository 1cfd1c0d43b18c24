/**
 * A writer with a closed library and one for everybody, a daemon that follows the closed one, and peers of three kinds beside them: an
 * outsider, a member, and one that is a member until somebody revokes it. The outsider knows every name and id of the closed
 * library, and has the same of things that are nowhere to compare with.
 */
import { randomBytes } from 'node:crypto'
import { privateKeyFromProtobuf } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey, peerIdFromString } from '@libp2p/peer-id'
import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import { systemClock } from '../../../base/index.ts'
import { libraryKey } from '../../../discovery/keys.ts'
import { createStatusRecord, type ReleaseRecord } from '../../../library/index.ts'
import { watchHeads } from '../../../protocols/heads/types.ts'
import { askHoldings } from '../../../protocols/index.ts'
import { HEAD_LIFETIME_MS, libraryIdOf, signHead } from '../../../sync/index.ts'
import { Keyring, loadNodeKey, SigningKey } from '../../../trust/index.ts'
import { eventually, type TestDaemon, TestNet } from '../../daemon/support.ts'
import { find, type Subject } from './questions.ts'
import { RawPeer } from './raw-peer.ts'

/** Names of the closed library and of the other one. */
export const TEAM = 'team'
export const SHOP = 'shop'
/** Takes a reader that stops reading long enough, and no longer. */
export const LARGE_BYTES = 24 * 1024 * 1024
/** What comes comes because it was told, not because its time had come. */
const NEVER = '7d'
const SHA256 = 0x12
/** How an answer begins that names nobody. */
const NO_PROVIDERS = '[[],'

export interface Scene {
  readonly net: TestNet
  readonly writer: TestDaemon
  readonly follower: TestDaemon
  readonly outsider: RawPeer
  readonly member: RawPeer
  readonly revoked: RawPeer
  /** Of the closed library, of nothing that is anywhere, and of a library for everybody. */
  readonly closed: Subject
  readonly control: Subject
  readonly open: Subject
  /** A release of the closed library that takes its time. */
  readonly large: ReleaseRecord
  destroy(): Promise<void>
}

/** Nodes that mirror tell what they hold. */
const MIRRORS = { 'mirroring.enabled': 'true' }

export async function createScene(): Promise<Scene> {
  const net = await TestNet.create()
  const peers = await Promise.all([RawPeer.start(), RawPeer.start(), RawPeer.start()])
  const [outsider, member, revoked] = peers as [RawPeer, RawPeer, RawPeer]
  const writer = await net.start('writer', { set: MIRRORS })
  const followerId = await peerIdOfHome(net, 'follower')
  const members = [followerId, member.peerId, revoked.peerId]
  await writer.ok('POST', '/v1/libraries', { name: TEAM, access: 'restricted', members })
  await writer.ok('POST', '/v1/libraries', { name: SHOP, access: 'public' })
  const team = await publishTeam(writer)
  const follower = await net.start('follower', {
    join: writer,
    set: { ...MIRRORS, 'sync.follow': `${writer.peerId}/${TEAM} all`, 'sync.interval': NEVER }
  })
  for (const peer of peers) await Promise.all([peer.join(writer), peer.join(follower)])
  const shop = await publishShop(writer)
  await hasContent(follower, writer, [...team.releases, shop.release])
  await follower.ok('PUT', '/v1/releases/pin', { spec: shop.release.id.toString() })
  const closed = await subjectOf(member, writer, TEAM, { release: team.releases[0]!, statement: team.yank })
  const open = await subjectOf(member, writer, SHOP, { release: shop.release, statement: shop.yank })
  await Promise.all([writer, follower].map(daemon => isAnnounced(outsider, daemon, open.library)))
  await Promise.all([writer, follower].map(daemon => saysThatItHolds(outsider, daemon, open)))
  return {
    ...{ net, writer, follower, outsider, member, revoked, closed, open, control: nowhere() },
    large: team.releases[2]!,
    destroy: async () => {
      await Promise.all(peers.map(peer => peer.stop()))
      await net.destroy()
    }
  }
}

async function publishTeam(writer: TestDaemon): Promise<{ releases: ReleaseRecord[]; yank: CID }> {
  const library = TEAM
  const small = { 'readme.md': 'of the team' }
  const first = await writer.publish({ name: 'team-tools', version: '1.0.0', files: small, library })
  const second = await writer.publish({ name: 'team-tools', version: '1.1.0', files: small, library })
  const files = { 'large.bin': randomBytes(LARGE_BYTES) }
  const large = await writer.publish({ name: 'team-large', version: '1.0.0', files, library })
  const yank = await yankOf(writer, second.record)
  return { releases: [first.record, second.record, large.record], yank }
}

async function publishShop(writer: TestDaemon): Promise<{ release: ReleaseRecord; yank: CID }> {
  const release = { name: 'shop-tools', version: '1.0.0', files: { 'readme.md': 'of everybody' } }
  const { record } = await writer.publish({ ...release, library: SHOP, wait: 1 })
  return { release: record, yank: await yankOf(writer, record) }
}

async function yankOf(writer: TestDaemon, { release }: ReleaseRecord): Promise<CID> {
  const keyring = await Keyring.open({ clock: systemClock }, { folder: writer.home.keyring })
  const { name, version, content } = release
  const status = { name, version, content, state: 'yanked', reason: 'old', sequence: Date.now() } as const
  const record = createStatusRecord(status, await keyring.load())
  await writer.ok('POST', '/v1/statements', { record: Buffer.from(record.bytes).toString('base64') })
  return record.id
}

/** By what the peers of a home will know it, before its daemon runs. */
export async function peerIdOfHome(net: TestNet, name: string): Promise<string> {
  const { protobuf } = await loadNodeKey((await net.home(name)).nodeKey)
  return peerIdFromPrivateKey(privateKeyFromProtobuf(protobuf)).toString()
}

/** Waits until a node tells who has a library that is for everybody. */
async function isAnnounced(peer: RawPeer, daemon: TestDaemon, library: Uint8Array): Promise<void> {
  await eventually(async () => !(await find(peer, daemon, libraryKey(library))).startsWith(NO_PROVIDERS))
}

/** Waits until a node tells that it holds something for good. */
async function saysThatItHolds(peer: RawPeer, daemon: TestDaemon, { content }: Subject): Promise<void> {
  await daemon.operation('/v1/mirror/runs', {})
  await eventually(
    async () => (await peer.request(daemon, askHoldings, { contents: [content] })).held[0] === 1
  )
}

/** Fetches what does not come by itself. */
async function hasContent(
  follower: TestDaemon,
  writer: TestDaemon,
  releases: readonly ReleaseRecord[]
): Promise<void> {
  await eventually(async () => {
    const { libraries } = await follower.ok('GET', '/v1/sync')
    return libraries.some(({ name, head }: { name: string; head: unknown }) => name === TEAM && head !== null)
  })
  for (const { id } of releases) {
    const fetched = await follower.operation('/v1/fetches', { spec: id.toString(), from: writer.address })
    if (fetched.state !== 'done') throw new Error(`the follower has no content: ${JSON.stringify(fetched)}`)
  }
}

async function subjectOf(
  member: RawPeer,
  writer: TestDaemon,
  name: string,
  { release: { id, release }, statement }: { release: ReleaseRecord; statement: CID }
): Promise<Subject> {
  const { raw } = peerIdFromString(writer.peerId).publicKey!
  const library = libraryIdOf(raw, name)
  const { heads } = await member.request(writer, watchHeads, { libraries: [library] })
  const head = Uint8Array.from(heads[0]!)
  return {
    ...{ library, head, strangersHead: headOf(library, SigningKey.generate()) },
    ...{ release: id.bytes, statement: statement.bytes },
    ...{ name: release.name, version: release.version, owner: release.owner },
    content: release.content.bytes
  }
}

/** Of the same form and the same lengths. */
function nowhere(): Subject {
  const writer = SigningKey.generate()
  const library = libraryIdOf(writer.publicKey, TEAM)
  return {
    ...{ library, head: headOf(library, writer), strangersHead: headOf(library, SigningKey.generate()) },
    ...{ release: randomId(), statement: randomId(), content: randomId() },
    ...{ name: 'none-tools', version: '1.0.0', owner: SigningKey.generate().publicKey }
  }
}

function headOf(library: Uint8Array, signer: SigningKey): Uint8Array {
  const nowMs = Date.now()
  const [root, previous] = [randomBytes(32), randomBytes(32)].map(bytes => Uint8Array.from(bytes))
  const place = { epoch: nowMs, revision: 5, time: nowMs, expires: nowMs + HEAD_LIFETIME_MS }
  return signHead({ library, ...place, root: root!, previous: previous!, isClosed: true }, signer).bytes
}

const randomId = (): Uint8Array =>
  CID.createV1(0x71, createDigest(SHA256, Uint8Array.from(randomBytes(32)))).bytes
