/** The members of the network on this node: those that it knows, whether it is one, and what is told and heard of that. */
import type { PeerId } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type CatalogError,
  type Clock,
  changedWithin,
  type Logger,
  MINUTE_MS,
  Signpost
} from '../../../base/index.ts'
import type { Database } from '../../../library/index.ts'
import { decodeMember, type Member, type MemberRecord } from '../../../mirror/index.ts'
import type { Control } from '../../../protocols/index.ts'
import type { Signer } from '../../../trust/index.ts'
import { Ongoing } from '../ongoing.ts'
import { KnownMembers } from './known-members.ts'
import { MemberSpreading } from './member-spreading.ts'
import { OwnMember, type OwnMemberOptions } from './own-member.ts'
import type { MemberDirectory } from './types.ts'

/** How often what was heard is written: after a crash so much of it is heard again. */
const SAVE_EVERY_MS = MINUTE_MS

export interface MembersModules {
  database: Database
  control: Pick<Control, 'request' | 'handle'>
  key: Signer
  /** Of this node. */
  peerId: string
  connected(): PeerId[]
  /** Who counts as one, by where it is connected from. */
  originOf(peerId: PeerId): string
  onViolation(peerId: PeerId, error: CatalogError): void
  clock: Clock
  logger: Logger
  metrics?: MetricsRegistry
  /** Uniform in [0, 1). */
  random?: () => number
}

export class Members extends Ongoing implements MemberDirectory {
  readonly #modules: MembersModules
  readonly #known: KnownMembers
  readonly #own: OwnMember
  readonly #spreading: MemberSpreading
  readonly #listeners = new Set<() => void>()
  readonly #wake = new Signpost()

  /** With what earlier lives of the daemon heard; answers peers from then on. */
  static async open(modules: MembersModules, options: OwnMemberOptions): Promise<Members> {
    const known = await KnownMembers.open(modules)
    const members = new Members(modules, options, known)
    await members.#own.forgetLeaving()
    return members
  }

  private constructor(modules: MembersModules, options: OwnMemberOptions, known: KnownMembers) {
    super('the members', modules.logger)
    this.#modules = modules
    this.#known = known
    const { random = Math.random } = modules
    this.#own = new OwnMember({ ...modules, known, random }, options)
    this.#spreading = new MemberSpreading({ ...modules, known, random, onTaken: () => this.#changed() })
  }

  members(): readonly Member[] {
    return this.#known.members()
  }

  /** Whether the node with this public key counts now. */
  isMember(node: Uint8Array): boolean {
    const record = this.#known.get(node)
    return record !== undefined && record.expires > this.#modules.clock.now()
  }

  own(): Member {
    return this.#own.member
  }

  get isVolunteer(): boolean {
    return this.#own.isVolunteer
  }

  ownRecord(): Uint8Array | undefined {
    return this.#own.record?.bytes
  }

  hear(record: Uint8Array): void {
    if (this.#known.has(record)) return
    const decoded = decodeMember(record)
    if (this.#known.take(decoded) !== 'taken') return
    this.#spreading.tell(decoded)
    this.#changed()
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async setCapacity(bytes: number): Promise<void> {
    if (this.#own.setCapacity(bytes)) await this.#signAndTell()
  }

  async leave(signal: AbortSignal): Promise<void> {
    await this.#own.leave()
    const last = this.#own.record === undefined ? undefined : await this.#sign()
    if (last !== undefined) await this.#spreading.tellAll(last, signal)
  }

  async rejoin(): Promise<void> {
    await this.#own.rejoin()
    if (this.isVolunteer) await this.#signAndTell()
  }

  /** Connections to a peer are there: what both know is compared. */
  met(peerId: PeerId): void {
    this.#spreading.met(peerId)
  }

  override start(): void {
    super.start()
    this.#spreading.start()
  }

  override async stop(): Promise<void> {
    await Promise.all([super.stop(), this.#spreading.stop()])
    await this.#save()
  }

  protected async run(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    let saveMs = clock.monotonicMs() + SAVE_EVERY_MS
    for (;;) {
      const changed = this.#wake.shown()
      if (this.#untilMs(this.#own.dueMs) <= 0) await this.#trySign()
      this.#tellChange()
      if (clock.monotonicMs() >= saveMs) {
        await this.#save()
        saveMs = clock.monotonicMs() + SAVE_EVERY_MS
      }
      const waitMs = Math.min(
        saveMs - clock.monotonicMs(),
        this.#untilMs(this.#own.dueMs),
        this.#untilMs(this.#known.nextExpiryMs())
      )
      await changedWithin(changed, waitMs, { clock, signal })
    }
  }

  #untilMs(atMs: number | undefined): number {
    return (atMs ?? Number.POSITIVE_INFINITY) - this.#modules.clock.now()
  }

  /** What could not be signed or kept is tried again a minute later. */
  async #trySign(): Promise<void> {
    try {
      await this.#signAndTell()
    } catch (err) {
      this.#modules.logger.warn({ err }, 'the member record of this node could not be kept')
    }
  }

  async #signAndTell(): Promise<void> {
    const record = await this.#sign()
    if (record !== undefined) this.#spreading.tell(record)
  }

  async #sign(): Promise<MemberRecord | undefined> {
    const record = await this.#own.sign()
    if (record === undefined)
      this.#modules.logger.warn(
        {},
        'this node cannot be a member now: there are too many, or its clock was ahead when it signed last'
      )
    this.#changed()
    return record
  }

  /** Something was taken: who counts may be another, and when this node signs. */
  #changed(): void {
    this.#tellChange()
    this.#wake.show()
  }

  #tellChange(): void {
    if (!this.#known.refresh()) return
    for (const listener of this.#listeners) listener()
  }

  /** Never rejects: what could not be written is written with the next. */
  async #save(): Promise<void> {
    try {
      await this.#known.save({ sync: false })
    } catch (err) {
      this.#modules.logger.warn({ err }, 'what was heard of members could not be written')
    }
  }
}
