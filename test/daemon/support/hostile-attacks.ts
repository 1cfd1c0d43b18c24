/** What a peer can do to a daemon that serves: floods, and streams that are not used as they are meant. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { Libp2p, PeerId, PrivateKey, Stream } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { CID } from 'multiformats/cid'
import { sealAddresses } from '../../../discovery/peers/peer-record.ts'
import { HOME_LIBRARY } from '../../../library/index.ts'
import { openMessage, Part, rangeMessage } from '../../../protocols/content/frames.ts'
import { FrameKind, helloMessage, KIND_BITS, requestMessage } from '../../../protocols/control/frames.ts'
import {
  ExchangeClient,
  encodeFrame,
  encodeSyncMessage,
  MAX_SESSIONS_PER_PEER,
  NONCE_BYTES,
  PROVIDE,
  protocolId,
  pull,
  ROOT_BYTES
} from '../../../protocols/index.ts'
import { getRecords, listReleases } from '../../../protocols/records/types.ts'
import { libraryIdOf } from '../../../sync/index.ts'
import { NETWORK } from './hostile-records.ts'

export interface AttackModules {
  readonly node: Libp2p
  readonly privateKey: PrivateKey
  readonly target: Multiaddr
  /** A release that the target holds. */
  readonly record: CID
}

/** How far an attack came: things done, and how many of them were refused or cut. */
export interface AttackResult {
  done: number
  refused: number
}

type Attack = (modules: AttackModules, remote: PeerId) => Promise<AttackResult>

const REQUESTS = 20_000
/** Of them so many are sent one by one, so long apart. */
const PATIENT_REQUESTS = 100
const PATIENCE_MS = 50
const CONNECTIONS = 150
const STREAMS = 200
const PROVIDE_REQUESTS = 150
const BULK_STREAMS = 40

const openStream = (node: Libp2p, remote: PeerId, name: string): Promise<Stream> =>
  node.dialProtocol(remote, protocolId(NETWORK, name, 1), { signal: AbortSignal.timeout(5000) })

const request = (
  type: typeof getRecords | typeof listReleases,
  id: number,
  payload: Uint8Array
): Uint8Array =>
  encodeFrame([(type.method << KIND_BITS) | FrameKind.Request], requestMessage.encode({ id, payload }))

const hello = (): Uint8Array =>
  encodeFrame(
    [FrameKind.Hello],
    helloMessage.encode({
      version: 1,
      agent: 'hostile/1',
      features: [],
      maxInFlight: 9,
      instance: randomBytes(8)
    })
  )

/** Sends what may be refused and says whether it was. */
async function tried(work: () => unknown): Promise<boolean> {
  try {
    await work()
    return true
  } catch {
    return false
  }
}

/** The first word of a session, from somebody who has nothing of the library yet. */
const syncHello = (library: Uint8Array): Uint8Array =>
  encodeSyncMessage({
    kind: 'hello',
    body: {
      library,
      root: new Uint8Array(ROOT_BYTES),
      records: 0,
      revision: 0,
      nonce: randomBytes(NONCE_BYTES),
      cells: new Uint8Array(),
      counts: new Uint8Array(),
      traceparent: ''
    }
  })

async function count(times: number, work: (index: number) => unknown): Promise<AttackResult> {
  let refused = 0
  for (let index = 0; index < times; index++) if (!(await tried(() => work(index)))) refused++
  return { done: times, refused }
}

const ATTACKS = {
  /** Requests without an end, whose answers are never read. */
  'a flood of requests': async ({ node, record }, remote) => {
    const stream = await openStream(node, remote, 'control')
    stream.pause()
    stream.send(hello())
    const list = listReleases.request.encode({ name: 'served', limit: 64 })
    const get = getRecords.request.encode({ ids: Array.from({ length: 64 }, () => record.bytes) })
    return await count(REQUESTS, async index => {
      if (stream.status !== 'open') throw new Error('cut')
      // The cut has to come back before it shows: the last requests wait for it.
      if (index > REQUESTS - PATIENT_REQUESTS) await delay(PATIENCE_MS)
      const id = index + 1
      stream.send(index % 2 === 0 ? request(listReleases, id, list) : request(getRecords, id, get))
      if (index % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    })
  },
  'a flood of provider claims': async ({ node, privateKey, target }, remote) => {
    const peerRecord = await sealAddresses(privateKey, node.getMultiaddrs(), BigInt(Date.now()))
    const to = { peerId: remote, addresses: [target] }
    return await count(PROVIDE_REQUESTS, async () => {
      const client = await ExchangeClient.open(node, PROVIDE, NETWORK, to, AbortSignal.timeout(10_000))
      await client.ask({ peerRecord, keys: randomBytes(32 * 1000), lifetimeS: 90_000 })
      client.close()
    })
  },
  'a flood of connections': async ({ node, target }) =>
    await count(CONNECTIONS, async () => {
      await node.dial(target, { force: true, signal: AbortSignal.timeout(3000) })
    }),
  'streams without a request': async ({ node }, remote) =>
    await count(STREAMS, async index => {
      const name = ['control', 'content', 'provide', 'find'][index % 4]!
      const stream = await openStream(node, remote, name)
      // The first byte makes the stream appear over there; a whole request it never is.
      stream.send(Uint8Array.of(0x7f))
    }),
  'answers that are never read': async ({ node, record }, remote) =>
    await count(BULK_STREAMS, async () => {
      const stream = await openStream(node, remote, 'content')
      stream.pause()
      stream.send(encodeFrame([], openMessage.encode({ record: record.bytes })))
      const run = { part: Part.File, page: 0, slot: 0, level: 0, first: 0, count: 12, top: false }
      for (let id = 1; id <= 16; id++) stream.send(encodeFrame([], rangeMessage.encode({ id, runs: [run] })))
    }),
  'garbage on each protocol': async ({ node }, remote) =>
    await count(STREAMS, async index => {
      const name = ['control', 'content', 'provide', 'find'][index % 4]!
      const stream = await openStream(node, remote, name)
      stream.send(randomBytes(20_000))
    }),
  /** As many as a peer may have, each of which is answered and then says nothing for as long as it may. */
  'sessions that take their time': async ({ node }, remote) =>
    await count(MAX_SESSIONS_PER_PEER, async () => {
      const stream = await openStream(node, remote, 'sync')
      stream.send(syncHello(libraryIdOf(remote.publicKey!.raw, HOME_LIBRARY)))
      const answer = pull(stream, { signal: AbortSignal.timeout(5000) })
      if ((await answer[Symbol.asyncIterator]().next()).done === true) throw new Error('refused')
    })
} satisfies Record<string, Attack>

export type AttackKind = keyof typeof ATTACKS
export const ATTACK_KINDS: readonly AttackKind[] = [
  'a flood of requests',
  'a flood of provider claims',
  'a flood of connections',
  'streams without a request',
  'answers that are never read',
  'garbage on each protocol',
  'sessions that take their time'
]

export async function attack(kind: AttackKind, modules: AttackModules): Promise<AttackResult> {
  const connection = await modules.node.dial(modules.target, { signal: AbortSignal.timeout(5000) })
  return await ATTACKS[kind](modules, connection.remotePeer)
}
