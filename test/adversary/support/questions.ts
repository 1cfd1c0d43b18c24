/**
 * Everything that a peer can ask a node about something by its name or id, one row for each question. A protocol that is added, and a
 * question that is added to one, gets a row here: then the tests beside it ask it as an outsider, as a member and as one who was a
 * member, at the writer and at a follower.
 */
import { randomBytes } from 'node:crypto'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { nameKey } from '../../../discovery/index.ts'
import { contentKey, libraryKey, recordKey } from '../../../discovery/keys.ts'
import { answerMessage, openMessage } from '../../../protocols/content/frames.ts'
import { newHead, watchHeads } from '../../../protocols/heads/types.ts'
import { askHoldings, tellHoldings } from '../../../protocols/holdings/types.ts'
import {
  encodeFrame,
  encodeSyncMessage,
  FIND,
  FrameReader,
  NONCE_BYTES,
  PROOF,
  PROVIDE,
  probePeers,
  pull,
  ROOT_BYTES
} from '../../../protocols/index.ts'
import { offerRelease, wantedReleases } from '../../../protocols/mirror/releases.ts'
import type { ProofRequest } from '../../../protocols/proof/messages.js'
import { getRecords, listReleases } from '../../../protocols/records/types.ts'
import { decodeSyncFrame, readSyncFrame } from '../../../protocols/sync/message.ts'
import type { TestDaemon } from '../../daemon/support.ts'
import { hex, type RawPeer } from './raw-peer.ts'

/** What a question is about. Of a closed library the outsider knows all of it, which is the worst case. */
export interface Subject {
  readonly library: Uint8Array
  /** A head of it, and one that somebody else has signed for it. */
  readonly head: Uint8Array
  readonly strangersHead: Uint8Array
  /** Ids of a release and of what is said of one. */
  readonly release: Uint8Array
  readonly statement: Uint8Array
  readonly name: string
  readonly version: string
  readonly owner: Uint8Array
  readonly content: Uint8Array
}

/** All that a peer can see of an answer, as text that can be compared. */
export type Answer = string

export interface Question {
  readonly name: string
  /** Asks, and gives the answer whole, without what the asker put in itself. Throws what the answer says of a failure. */
  ask(peer: RawPeer, daemon: TestDaemon, subject: Subject): Promise<Answer>
  /** Who gets another answer, to show that the question is one: a member, everybody of what is open, or nobody of anything. */
  readonly answered: 'to members' | 'of open' | 'to nobody'
  /** Questions of this kind that one peer may ask at once, and one after the other where those are not enough for a measurement. */
  readonly atOnce: number
  readonly perPeer?: number
}

const EMPTY = new Uint8Array()
/** So that what one costs is seen many times. */
const IDS_OF_GET = 64
const IDS_OF_WATCH = 64

const many = (count: number, id: Uint8Array): Uint8Array[] => Array.from({ length: count }, () => id)

const nowhere = (count: number): Uint8Array[] => Array.from({ length: count }, () => randomBytes(32))

async function get(peer: RawPeer, daemon: TestDaemon, ids: Uint8Array[]): Promise<Answer> {
  const { records, statements, resumeAt } = await peer.request(daemon, getRecords, { ids })
  return JSON.stringify([records.map(hex), statements.map(hex), resumeAt])
}

async function list(
  peer: RawPeer,
  daemon: TestDaemon,
  query: Parameters<typeof listReleases.request.encode>[0]
): Promise<Answer> {
  const { records, statements, next } = await peer.request(daemon, listReleases, { limit: 64, ...query })
  return JSON.stringify([records.map(hex), statements.map(hex), hex(next)])
}

async function watch(peer: RawPeer, daemon: TestDaemon, libraries: Uint8Array[]): Promise<Answer> {
  const { heads } = await peer.request(daemon, watchHeads, { libraries })
  return JSON.stringify(heads.map(hex))
}

async function holds(peer: RawPeer, daemon: TestDaemon, contents: Uint8Array[]): Promise<Answer> {
  return hex((await peer.request(daemon, askHoldings, { contents })).held)
}

async function tellHolding(peer: RawPeer, daemon: TestDaemon, content: Uint8Array): Promise<Answer> {
  return JSON.stringify(await peer.request(daemon, tellHoldings, { held: [content], gone: [content] }))
}

async function tell(peer: RawPeer, daemon: TestDaemon, head: Uint8Array): Promise<Answer> {
  return JSON.stringify(await peer.request(daemon, newHead, { head }))
}

async function wanted(peer: RawPeer, daemon: TestDaemon, contents: Uint8Array[]): Promise<Answer> {
  const { records } = await peer.request(daemon, wantedReleases, { contents })
  return JSON.stringify(records.map(hex))
}

async function offer(peer: RawPeer, daemon: TestDaemon, record: Uint8Array): Promise<Answer> {
  return JSON.stringify(await peer.request(daemon, offerRelease, { record }))
}

/** Whether a node with a key is connected: an owner's key is none of a node, so nobody is. */
async function probe(peer: RawPeer, daemon: TestDaemon, key: Uint8Array): Promise<Answer> {
  const peers = [peerIdFromPublicKey(publicKeyFromRaw(key)).toMultihash().bytes]
  return JSON.stringify((await peer.request(daemon, probePeers, { peers })).answers)
}

/** Nearer peers come in the order of their distance to the key, which is the asker's; claims of the asker's own are left out. */
export async function find(peer: RawPeer, daemon: TestDaemon, key: Uint8Array): Promise<Answer> {
  const { providers, closer } = await peer.exchange(daemon, FIND, { key, maxProviders: 20, maxCloser: 20 })
  const own = Buffer.from(peer.node.peerId.toMultihash().bytes)
  const others = providers.filter(({ peerRecord }) => !Buffer.from(peerRecord).includes(own))
  return JSON.stringify([
    others.map(({ peerRecord }) => hex(peerRecord)),
    closer.map(({ peerId }) => hex(peerId)).sort()
  ])
}

async function provide(peer: RawPeer, daemon: TestDaemon, keys: Uint8Array): Promise<Answer> {
  const claim = { peerRecord: await peer.ownRecord(), keys, lifetimeS: 600 }
  return hex((await peer.exchange(daemon, PROVIDE, claim)).verdicts)
}

/** The first word of somebody who has nothing of the library, and what comes until it is the asker's turn, or the end. */
export async function openSession(peer: RawPeer, daemon: TestDaemon, library: Uint8Array) {
  const stream = await peer.openStream(daemon, 'sync')
  const body = {
    ...{ library, root: new Uint8Array(ROOT_BYTES), records: 0, revision: 0 },
    ...{ nonce: new Uint8Array(NONCE_BYTES), cells: EMPTY, counts: EMPTY, traceparent: '' }
  }
  stream.send(encodeSyncMessage({ kind: 'hello', body }))
  return { stream, reader: new FrameReader(pull(stream)) }
}

/** Of a session that goes on no more than is said at once; it is left then. */
async function hello(peer: RawPeer, daemon: TestDaemon, library: Uint8Array): Promise<Answer> {
  const { stream, reader } = await openSession(peer, daemon, library)
  const frame = await readSyncFrame(reader)
  if (frame === undefined) return 'end'
  const text = `${frame.kind} ${hex(frame.body)}`
  const message = decodeSyncFrame(frame)
  if (message.kind !== 'abort') stream.abort(new Error('enough'))
  else {
    const after = await readSyncFrame(reader)
    await stream.close()
    return `${text} ${after === undefined ? 'end' : 'more'}`
  }
  return text
}

export async function openContent(peer: RawPeer, daemon: TestDaemon, record: Uint8Array) {
  const stream = await peer.openStream(daemon, 'content')
  stream.send(encodeFrame([], openMessage.encode({ record })))
  return { stream, reader: new FrameReader(pull(stream)) }
}

async function open(peer: RawPeer, daemon: TestDaemon, record: Uint8Array): Promise<Answer> {
  const { stream, reader } = await openContent(peer, daemon, record)
  const frame = await reader.frame('answer', 1e6)
  if (frame === undefined) return 'end'
  const { status } = answerMessage.decode(frame)
  await stream.close()
  const after = status === 0 ? undefined : await reader.frame('answer', 1e6)
  return `${hex(frame)} ${after === undefined ? 'end' : 'more'}`
}

async function prove(
  peer: RawPeer,
  daemon: TestDaemon,
  { name, version, owner, content }: Subject,
  question: Partial<ProofRequest>
): Promise<Answer> {
  const { digests, nodes, blocks, member, demand } = await peer.exchange(daemon, PROOF, {
    ...{ name, version, owner, content },
    ...question
  })
  const shown = nodes.map(({ block, weights }) => [hex(block), hex(weights)])
  return JSON.stringify([hex(digests), shown, blocks.map(hex), hex(member), hex(demand)])
}

const OF_MEMBERS = { answered: 'to members', atOnce: 4 } as const
const OF_ALL = { answered: 'of open', atOnce: 4 } as const
const OF_NOBODY = { answered: 'to nobody', atOnce: 4 } as const
/** A peer may ask for digests 32 times at once, and then once in a second. */
const OF_CHALLENGERS = { answered: 'to members', atOnce: 2, perPeer: 14 } as const
/** A peer may say ten times at once which libraries it watches, and then once in ten seconds. */
const OF_WATCHERS = { answered: 'to members', atOnce: 1, perPeer: 8 } as const
/** As often it may ask which releases have some contents. */
const OF_ALL_SLOWLY = { answered: 'of open', atOnce: 1, perPeer: 8 } as const

/** A peer may ask about 64 peers at once, and then about one a second. */
const OF_PROBERS = { answered: 'to nobody', atOnce: 4, perPeer: 8 } as const

export const QUESTIONS: readonly Question[] = [
  {
    name: 'sync: a session about its id',
    ask: (p, d, { library }) => hello(p, d, library),
    ...{ ...OF_MEMBERS, atOnce: 1 }
  },
  { name: 'heads.watch of its id', ask: (p, d, { library }) => watch(p, d, [library]), ...OF_WATCHERS },
  {
    name: 'heads.watch of its id many times',
    ask: (p, d, { library }) => watch(p, d, many(IDS_OF_WATCH, library)),
    ...OF_WATCHERS
  },
  {
    name: 'heads.watch of its id among many',
    ask: (p, d, { library }) => watch(p, d, [...nowhere(IDS_OF_WATCH), library]),
    ...OF_WATCHERS
  },
  { name: 'heads.new with a head of it', ask: (p, d, { head }) => tell(p, d, head), ...OF_MEMBERS },
  {
    name: 'heads.new with a head of a stranger',
    ask: (p, d, s) => tell(p, d, s.strangersHead),
    ...OF_MEMBERS
  },
  { name: 'records.get of a release', ask: (p, d, { release }) => get(p, d, [release]), ...OF_ALL },
  {
    name: 'records.get of a release many times',
    ask: (p, d, { release }) => get(p, d, many(IDS_OF_GET, release)),
    ...OF_ALL
  },
  { name: 'records.get of a statement', ask: (p, d, { statement }) => get(p, d, [statement]), ...OF_NOBODY },
  { name: 'records.list of a name', ask: (p, d, { name }) => list(p, d, { name }), ...OF_ALL },
  {
    name: 'records.list of a version of an owner',
    ask: (p, d, { name, version, owner }) => list(p, d, { name, version, owner }),
    ...OF_ALL
  },
  {
    name: 'records.list of a range',
    ask: (p, d, { name }) => list(p, d, { name, range: '>=0.0.1' }),
    ...OF_ALL
  },
  { name: 'peers.probe of its owner', ask: (p, d, { owner }) => probe(p, d, owner), ...OF_PROBERS },
  { name: 'holdings.ask of the content', ask: (p, d, { content }) => holds(p, d, [content]), ...OF_ALL },
  {
    name: 'holdings.ask of the content many times',
    ask: (p, d, { content }) => holds(p, d, many(IDS_OF_GET, content)),
    ...OF_ALL
  },
  {
    name: 'holdings.tell of the content',
    ask: (p, d, { content }) => tellHolding(p, d, content),
    ...OF_NOBODY
  },
  { name: 'content of a release', ask: (p, d, { release }) => open(p, d, release), ...OF_MEMBERS },
  {
    name: 'mirror.wanted of the content',
    ask: (p, d, { content }) => wanted(p, d, [content]),
    ...OF_ALL_SLOWLY
  },
  {
    name: 'mirror.wanted of the content many times',
    ask: (p, d, { content }) => wanted(p, d, many(32, content)),
    ...OF_ALL_SLOWLY
  },
  // By who is no member of the network's mirrors, as nobody here is; a member is asked for the whole record.
  {
    name: 'mirror.offer of a release',
    ask: (p, d, { release }) => offer(p, d, release),
    ...{ ...OF_NOBODY, atOnce: 1, perPeer: 20 }
  },
  {
    name: 'proof of its content by digests',
    ask: (p, d, s) => prove(p, d, s, { nonce: new Uint8Array(32), tell: true }),
    ...OF_CHALLENGERS
  },
  {
    name: 'proof of its content by bytes',
    ask: (p, d, s) => prove(p, d, s, { sample: { page: 0, offset: 0 }, tell: true }),
    ...OF_MEMBERS
  },
  {
    name: 'proof of its content, nodes of the manifest',
    ask: (p, d, s) => prove(p, d, s, { nodes: [{ level: 0, index: 0 }] }),
    ...OF_MEMBERS
  },
  { name: 'find of the name', ask: (p, d, { name }) => find(p, d, nameKey(name)), ...OF_ALL },
  { name: 'find of the release', ask: (p, d, { release }) => find(p, d, recordKey(release)), ...OF_ALL },
  { name: 'find of the content', ask: (p, d, { content }) => find(p, d, contentKey(content)), ...OF_NOBODY },
  { name: 'find of the library', ask: (p, d, { library }) => find(p, d, libraryKey(library)), ...OF_ALL },
  {
    name: 'provide of name, release, content and library',
    ask: (p, d, subject) => provide(p, d, Buffer.concat(keysOf(subject))),
    ...OF_NOBODY
  }
]

/** All keys that follow from what somebody knows of it. */
export const keysOf = ({
  name,
  release,
  content,
  library
}: Pick<Subject, 'name' | 'release' | 'content' | 'library'>): Uint8Array[] => [
  nameKey(name),
  recordKey(release),
  contentKey(content),
  libraryKey(library)
]
