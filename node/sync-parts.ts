/** What follows libraries and shows them to peers, put together: the sessions of both sides, heads between nodes, subscriptions. */
import type { Libp2p, PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, type Clock, type Logger } from '../base/index.ts'
import { type Config, MAX_FOLLOWED } from '../config/index.ts'
import { networkOf } from '../discovery/index.ts'
import type { ContentStore, Registry } from '../library/index.ts'
import {
  type ContentServer,
  type Control,
  decodeSyncFrame,
  HeadExchange,
  SyncServer
} from '../protocols/index.ts'
import type { LibrarySets } from '../sync/index.ts'
import type { Topology } from '../topology/index.ts'
import type { EventHub } from './events.ts'
import type { AnnouncementSchedule } from './schedule.ts'
import { AudienceGuard } from './services/audience-guard.ts'
import type { Blocking } from './services/blocking.ts'
import { CopyFinishing } from './services/copy-finishing.ts'
import type { CopyHere } from './services/follow-union.ts'
import { FollowedContent } from './services/followed-content.ts'
import { Following } from './services/following.ts'
import { formatAddress } from './services/library-address.ts'
import type { LibraryAnnouncing } from './services/library-announcing.ts'
import { LibraryHolders } from './services/library-holders.ts'
import type { LibraryKeys } from './services/library-keys.ts'
import type { Network } from './services/network.ts'
import { OwnHeads } from './services/own-heads.ts'
import type { Pausable } from './services/pause.ts'
import { classesOf } from './services/release-filter.ts'
import { type Subscription, subscriptionsOf } from './services/subscription.ts'
import { Syncing } from './services/syncing.ts'
import type { FetchingService } from './services/types.ts'
import { Uniting } from './services/uniting.ts'
import type { Violations } from './services/violations.ts'
import { nodeKeyOf, writerOf } from './services/writer-key.ts'
import type { FollowShape } from './sync-schemas.ts'

export interface SyncPartsModules {
  libp2p: Libp2p
  /** Of this node. */
  peerId: string
  network: Network
  topology: Pick<Topology, 'order'>
  control: Control
  sets: LibrarySets
  registry: Registry
  content: ContentStore
  blocking: Blocking
  contentServer: Pick<ContentServer, 'recheck'>
  libraryAnnouncing: Pick<LibraryAnnouncing, 'changed'>
  libraryKeys: LibraryKeys
  fetching: FetchingService
  events: EventHub
  schedule: AnnouncementSchedule
  violations: Violations
  clock: Clock
  logger: Logger
  metrics: MetricsRegistry
}

export class SyncParts {
  readonly syncing: Syncing
  /** What a pause stops, in this order. */
  readonly pausable: readonly Pausable[]
  readonly #server: SyncServer
  readonly #heads: HeadExchange
  readonly #following: Following
  readonly #content: FollowedContent
  readonly #finishing: CopyFinishing
  readonly #guard: AudienceGuard
  readonly #announcing: Pick<LibraryAnnouncing, 'changed'>
  readonly #events: Pick<EventHub, 'emit'>
  readonly #subscriptionsOf: (lines: readonly string[]) => Subscription[]
  readonly #closing = new AbortController()

  /** Serves peers from then on. */
  static async create(modules: SyncPartsModules, config: Config): Promise<SyncParts> {
    const parts = new SyncParts(modules, config)
    await parts.#server.start()
    return parts
  }

  private constructor(modules: SyncPartsModules, { network: { id: networkId }, sync }: Config) {
    const { libp2p, sets, violations, logger, clock, metrics } = modules
    const peerId = (): string => modules.peerId
    this.#subscriptionsOf = lines => ofOthers(subscriptionsOf(lines), modules)
    const ownHeads = new OwnHeads(modules, { own: writerOf(modules.peerId) })
    this.#announcing = modules.libraryAnnouncing
    this.#events = modules.events
    this.#server = new SyncServer(
      {
        libp2p,
        serve: serveFrom({ sets, ownHeads, signal: this.#closing.signal }, modules.peerId),
        networkOf,
        clock,
        log: logger.child({ part: 'sync' }),
        metrics
      },
      { networkId, onViolation: violations.of('sync') }
    )
    const admits = (peer: PeerId, library: Uint8Array): Promise<boolean> =>
      sets.access.admits(library, nodeKeyOf(peer))
    this.#guard = new AudienceGuard({
      served: [modules.contentServer, { recheck: () => this.#server.recheck(admits) }],
      clock,
      logger
    })
    this.#heads = new HeadExchange({
      ...modules,
      log: logger.child({ part: 'heads' }),
      headOf: library => ownHeads.headOf(library),
      admits,
      knownTo: peer => sets.access.knownTo(nodeKeyOf(peer)),
      isConnected: peer => libp2p.getConnections(peer).length > 0,
      onHead: (peer, head) => this.#following.heard(peer, head)
    })
    const classes = classesOf(sync.priority)
    const uniting = new Uniting(modules)
    this.syncing = new Syncing(
      {
        ...modules,
        uniting,
        peerId,
        onViolation: violations.of('sync'),
        onAudienceChanged: () => this.audiencesChanged(),
        follows: () => this.follows()
      },
      { networkId, maxRecords: sync.maxRecords, maxBytes: sync.maxBytes, classes }
    )
    this.#content = new FollowedContent(modules, { classes })
    const holders = new LibraryHolders(
      { ...modules, keys: modules.libraryKeys, access: sets.access },
      { maxWaiting: MAX_FOLLOWED }
    )
    this.#following = new Following(
      {
        ...modules,
        syncing: this.syncing,
        uniting,
        holders,
        heads: this.#heads,
        onAnswered: peer => ownHeads.answered(peer),
        onFollowed: (subscription, result) => this.#content.followed(subscription, result),
        onEnded: subscription => this.#content.ended(subscription),
        onViolation: violations.of('heads')
      },
      { subscriptions: this.#subscriptionsOf(sync.follow), intervalMs: sync.interval }
    )
    const server = { pause: () => this.#server.stop(), resume: () => this.#server.start() }
    this.#finishing = new CopyFinishing(modules)
    this.pausable = [this.#following, this.#content, this.#finishing, server]
  }

  /** How what is followed goes. */
  follows(): FollowShape[] {
    return this.#following.status()
  }

  /** Compares all that is followed at once; how many libraries are equal then. */
  compareAll(signal: AbortSignal): Promise<number> {
    return this.#following.compareAll(signal)
  }

  /** Follows what other lines of `sync.follow` say from now on; nothing is done for those that are gone when this resolves. */
  follow(lines: readonly string[]): Promise<void> {
    return this.#following.change(this.#subscriptionsOf(lines))
  }

  /** To be told when a file has brought the copy of a library. */
  imported(library: Uint8Array, copy: CopyHere): void {
    this.#following.imported(library, copy)
    this.#events.emit('library', { id: Buffer.from(library).toString('hex'), state: 'imported' })
  }

  /** To be told when a library has come to be here, or whom one is for has changed. Never rejects. */
  audiencesChanged(): Promise<void> {
    this.#announcing.changed()
    this.#heads.audiencesChanged()
    return this.#guard.changed()
  }

  /** Begins to work by itself. */
  start(): void {
    this.#heads.start()
    this.#content.start()
    this.#following.start()
    this.#finishing.start()
    this.#guard.start()
  }

  async stop(): Promise<void> {
    await Promise.all([
      this.#following.stop(),
      this.#content.stop(),
      this.#finishing.stop(),
      this.#guard.stop(),
      this.#heads.stop()
    ])
  }

  /** Shows libraries to nobody any more. */
  close(): Promise<void> {
    this.#closing.abort(new CatalogError('SHUTTING_DOWN', 'this node shows its libraries no longer'))
    return this.#server.stop()
  }
}

/** Those of other nodes: many nodes may be given one list of all of them, and none has anything to ask itself for. */
function ofOthers(
  subscriptions: Subscription[],
  { peerId, logger }: Pick<SyncPartsModules, 'peerId' | 'logger'>
): Subscription[] {
  for (const subscription of subscriptions)
    if (subscription.writer === peerId)
      logger.warn(
        { library: formatAddress(subscription) },
        'sync.follow names a library of this node itself, which has no effect'
      )
  return subscriptions.filter(({ writer }) => writer !== peerId)
}

interface Served {
  sets: LibrarySets
  ownHeads: OwnHeads
  /** Ends what a session waits for. */
  signal: AbortSignal
}

/** Runs the sessions of peers in the worker. */
function serveFrom(
  { sets, ownHeads, signal }: Served,
  own: string
): ConstructorParameters<typeof SyncServer>[0]['serve'] {
  const local = idBytes(peerIdFromString(own))
  return ({ peerId, ...limits }, work) => {
    const node = nodeKeyOf(peerId)
    return sets.session({ role: 'source', local, remote: idBytes(peerId), node, ...limits }, port =>
      work({
        say: () => port.say(),
        take: async frame => {
          const message = frame.kind === 'hello' ? decodeSyncFrame(frame) : undefined
          if (message?.kind === 'hello') await ownHeads.untilTold(message.body.library, node, signal)
          return await port.take(frame)
        }
      })
    )
  }
}

const idBytes = (peerId: PeerId): Uint8Array => peerId.toMultihash().bytes
