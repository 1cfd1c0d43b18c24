/**
 * Whether this node volunteers, and the records in which it says so: signed for a day, every six hours, each with a higher sequence than the one before
 * and on disk before anybody is told. Who does not volunteer, but once did, signs a last record that expires at once.
 */
import { type Clock, HOUR_MS, MINUTE_MS } from '../../../base/index.ts'
import { type Database, KeyFamily, makeKey, nextSequence } from '../../../library/index.ts'
import {
  capacityClassOf,
  MEMBER_LIFETIME_MS,
  type Member,
  type MemberRecord,
  signMember
} from '../../../mirror/index.ts'
import type { Signer } from '../../../trust/index.ts'
import { peerOf } from '../writer-key.ts'
import type { KnownMembers } from './known-members.ts'

/** Three records may be missed before the last one has expired. */
const RENEW_MS = 6 * HOUR_MS
/** Less by up to this part, so that those who began together do not sign together for ever. */
const RENEW_JITTER = 0.2
/** Between two records that nobody asked for: two homes with one key would contradict each other without end. */
const LEAST_GAP_MS = MINUTE_MS
/** Of who leaves. */
const LAST_LIFETIME_MS = 1

export interface OwnMemberModules {
  known: KnownMembers
  database: Database
  key: Signer
  clock: Pick<Clock, 'now'>
  /** Uniform in [0, 1). */
  random(): number
}

export interface OwnMemberOptions {
  /** What the operator says: whether this node volunteers, until it leaves. */
  isEnabled: boolean
  region: string
  capacityBytes: number
}

export class OwnMember {
  readonly #modules: OwnMemberModules
  readonly #region: string
  readonly #isEnabled: boolean
  readonly #peer: string
  #hasLeft: boolean
  #capacityClass: number
  #signedMs = Number.NEGATIVE_INFINITY
  readonly #jitter: number

  constructor(modules: OwnMemberModules, { isEnabled, region, capacityBytes }: OwnMemberOptions) {
    this.#modules = modules
    this.#region = region
    this.#isEnabled = isEnabled
    this.#capacityClass = capacityClassOf(capacityBytes)
    this.#peer = peerOf(modules.key.publicKey)
    this.#hasLeft = modules.database.get(LEFT_KEY) !== undefined
    this.#jitter = 1 - RENEW_JITTER * modules.random()
  }

  get isVolunteer(): boolean {
    return this.#isEnabled && !this.#hasLeft
  }

  /** As its record says, or would say. */
  get member(): Member {
    return {
      peer: this.#peer,
      key: this.#modules.key.publicKey,
      region: this.#region,
      capacityClass: this.#capacityClass
    }
  }

  /** What it last said, while that counts. */
  get record(): MemberRecord | undefined {
    const record = this.#last
    return record !== undefined && record.expires > this.#modules.clock.now() ? record : undefined
  }

  /** When there is something to sign, ms since the epoch; undefined: never. */
  get dueMs(): number | undefined {
    const { record, isVolunteer } = this
    const soonMs = this.#signedMs + LEAST_GAP_MS
    if (!isVolunteer) return record === undefined ? undefined : soonMs
    const isTrue = record?.capacityClass === this.#capacityClass && record.region === this.#region
    return isTrue ? record.sequence + RENEW_MS * this.#jitter : soonMs
  }

  /**
   * Signs what is so now, and returns it once it is on disk; undefined when others would not take it: there are too many members, or
   * this clock has gone back by more than clocks differ.
   */
  async sign(): Promise<MemberRecord | undefined> {
    const { known, key, clock } = this.#modules
    const nowMs = clock.now()
    this.#signedMs = nowMs
    const sequence = nextSequence(nowMs, this.#last?.sequence)
    const expires = sequence + (this.isVolunteer ? MEMBER_LIFETIME_MS : LAST_LIFETIME_MS)
    const record = signMember(
      { region: this.#region, capacityClass: this.#capacityClass, sequence, expires },
      key
    )
    if (known.take(record) !== 'taken') return undefined
    await known.save({ sync: true })
    return record
  }

  /** Whether that changes the class, so that it has to be signed. */
  setCapacity(bytes: number): boolean {
    const before = this.#capacityClass
    this.#capacityClass = capacityClassOf(bytes)
    return this.#capacityClass !== before && this.isVolunteer
  }

  /** Durably, so that a restart does not volunteer again. */
  async leave(): Promise<void> {
    const { database, clock } = this.#modules
    const value = Buffer.alloc(8)
    value.writeBigUInt64BE(BigInt(clock.now()))
    await database.write([{ type: 'put', key: LEFT_KEY, value }], { sync: true })
    this.#hasLeft = true
  }

  async rejoin(): Promise<void> {
    await this.#modules.database.write([{ type: 'del', key: LEFT_KEY }], { sync: true })
    this.#hasLeft = false
  }

  /** An operator who has switched mirroring off has said it anew: who switches it on again volunteers, whatever was before. */
  async forgetLeaving(): Promise<void> {
    if (this.#hasLeft && !this.#isEnabled) await this.rejoin()
  }

  get #last(): MemberRecord | undefined {
    return this.#modules.known.get(this.#modules.key.publicKey)
  }
}

const LEFT_KEY = makeKey(KeyFamily.MemberLeft)
