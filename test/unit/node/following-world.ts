/** A node that follows a library, for tests of what it does about what it hears. The heads are real; peers, sessions and time are as told. */
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { silentLogger } from '../../../base/index.ts'
import { Following } from '../../../node/services/following.ts'
import { conditionsOf } from '../../../node/services/release-filter.ts'
import { type Subscription, subscriptionsOf } from '../../../node/services/subscription.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import type { SyncResult } from '../../../node/sync-schemas.ts'
import { HEAD_LIFETIME_MS, type HeadStatement, readHead, signHead } from '../../../sync/index.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { NOW_MS } from '../records/examples.ts'
import { follow, numbered, SyncHome } from '../sync/homes.ts'
import { asGiven } from './as-given.ts'

export const MINUTE_MS = 60_000
export const HOUR_MS = 60 * MINUTE_MS
export const DAY_MS = 24 * HOUR_MS

export const newPeerId = async (): Promise<PeerId> => peerIdFromPrivateKey(await generateKeyPair('Ed25519'))

export class FollowingWorld {
  readonly writer: SyncHome
  readonly reader: SyncHome
  readonly clock = new ManualClock(NOW_MS)
  /** A peer that is connected. */
  readonly mirror: PeerId
  following: Following
  connected: string[]
  onConnected: Array<(peer: string) => void> = []
  /** Whom sessions were with, and about what. */
  readonly runs: string[] = []
  readonly asked: Array<string | undefined> = []
  /** Heads that the worker has judged. */
  takes = 0
  readonly united: Uint8Array[] = []
  /** Of which releases of each. */
  readonly filters: string[] = []
  /** How unions go, and end. */
  uniting: (signal: AbortSignal) => Promise<void> = async () => undefined
  root = 'one'
  /** Who is found to have a library whose writer is away, and how often somebody was looked for. */
  holders: (signal: AbortSignal) => string[] | Promise<string[]> = () => []
  searches = 0
  /** How sessions go, and end. */
  session: (signal: AbortSignal, bring: (bytes: number) => void, peer: string) => Promise<void> = async () =>
    undefined
  outcome: (peer: string) => void = () => undefined
  state: SyncResult['state'] = 'updated'
  expiresMs = this.clock.now() + HEAD_LIFETIME_MS + HOUR_MS
  /** Who was told what is watched. */
  readonly watched: string[] = []
  readonly answered: string[] = []
  readonly libraries: Array<readonly Uint8Array[]> = []
  readonly violations: string[] = []
  readonly followed: string[] = []
  readonly ended: Subscription[] = []

  /** After the first comparison of its subscription, with the writer. */
  static async open(): Promise<FollowingWorld> {
    const writer = await SyncHome.open('writer')
    const reader = await SyncHome.open('reader')
    await writer.publish(numbered(1))
    await follow(reader, writer)
    const world = new FollowingWorld(writer, reader, await newPeerId())
    world.following.start()
    await eventually(() => world.followed.length === 1)
    return world
  }

  private constructor(writer: SyncHome, reader: SyncHome, mirror: PeerId) {
    this.writer = writer
    this.reader = reader
    this.mirror = mirror
    this.connected = [mirror.toString()]
    this.following = this.open([peerOf(writer.key.publicKey)])
  }

  open(lines: string[]): Following {
    const { reader, clock } = this
    return new Following(
      {
        syncing: {
          sync: async ({ peer, library }, { signal, progress }) => {
            this.runs.push(peer)
            this.asked.push(library)
            this.outcome(peer)
            await this.session(signal, bytesDone => progress({ phase: 'receiving', bytesDone }), peer)
            const { state, root, expiresMs } = this
            return { state, root, head: { expires: new Date(expiresMs).toISOString() } } as never
          }
        },
        uniting: {
          unite: async ({ library, filter = {} }, { signal }) => {
            this.united.push(library)
            this.filters.push(conditionsOf(filter).join(' '))
            await this.uniting(signal)
            return 1
          }
        },
        holders: {
          find: async (_library, _of, signal) => {
            this.searches++
            return await this.holders(signal)
          }
        },
        sets: {
          access: reader.sets.access,
          headOf: library => reader.sets.headOf(library),
          take: bytes => {
            this.takes++
            reader.nowMs = clock.now()
            return reader.sets.take(bytes)
          }
        },
        heads: {
          watch: async (peerId, ids) => {
            this.watched.push(peerId.toString())
            this.libraries.push(ids)
          }
        },
        topology: asGiven,
        network: {
          connected: () => this.connected,
          onConnected: listener => {
            this.onConnected.push(listener)
            return () => undefined
          }
        },
        clock,
        logger: silentLogger,
        onAnswered: peer => void this.answered.push(peer),
        onFollowed: ({ writer: of }) => void this.followed.push(of),
        onEnded: async subscription => void this.ended.push(subscription),
        onViolation: (_, { code }) => void this.violations.push(code),
        random: () => 0
      },
      { subscriptions: subscriptionsOf(lines), intervalMs: DAY_MS }
    )
  }

  async close(): Promise<void> {
    await this.following.stop()
    await Promise.all([this.writer.close(), this.reader.close()])
  }

  /** The last head of the writer. */
  headOf(): Uint8Array {
    return readHead(this.writer.reader, this.writer.library, this.writer.key.publicKey)!.bytes
  }

  /** One like it. */
  headLike(over: Partial<HeadStatement>, signer = this.writer.key): Uint8Array {
    const {
      bytes: _,
      hash: __,
      writer: ___,
      ...last
    } = readHead(this.writer.reader, this.writer.library, this.writer.key.publicKey)!
    return signHead({ ...last, ...over }, signer).bytes
  }
}
