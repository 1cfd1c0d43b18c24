import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import {
  createAttestationRecord,
  createReleaseRecord,
  createStatusRecord,
  nextSequence,
  RELEASE_STATES,
  type Release,
  type ReleaseRecord,
  type SignedRecord,
  type StatementRecord
} from '../../library/index.ts'
import { formatPublicKey, SigningKey, sha256 } from '../../trust/index.ts'
import type { Random } from './random.ts'
import { readRecord, type SetRecord } from './records.ts'

const PUBLISHERS = 6
const NAMES = ['alpha', 'beta', 'gamma', '@acme/delta', '@acme/epsilon', 'zeta', 'eta', 'theta']
/** So many that a node comes to have them all soon. */
const STRAYS = 20
/** Before all that happens here: 2025-01-01. */
const STRAYED_MS = 1_735_689_600_000
const RAW_CODEC = 0x55
const SHA_256 = 0x12

export const keyOf = (text: string): SigningKey => SigningKey.fromSeed(sha256(Buffer.from(text)))
export const contentOf = (text: string): CID =>
  CID.createV1(RAW_CODEC, createDigest(SHA_256, sha256(Buffer.from(text))))

/** The people who publish: their keys are at no node in particular, so they contradict each other and, now and then, themselves. */
export class Publishers {
  readonly #random: Random
  readonly #keys = Array.from({ length: PUBLISHERS }, (_, number) => keyOf(`publisher ${number}`))
  #contents = 0

  constructor(random: Random) {
    this.#random = random
  }

  /** What attestations weigh: those of half of them something. */
  get weights(): ReadonlyMap<string, number> {
    return new Map(this.#keys.slice(0, 3).map((key, at) => [formatPublicKey(key.publicKey), 0.3 + at / 10]))
  }

  /** A release of a new version, or of one that others may have published too. */
  release(nowMs: number): SetRecord {
    const random = this.#random
    const version = `${random.below(2)}.${random.below(12)}.0`
    return read(this.#release(nowMs, { name: random.pick(NAMES), version }, random.pick(this.#keys)))
  }

  /** Another content under a name and version that the owner has published before. */
  equivocation({ release }: ReleaseRecord, nowMs: number): SetRecord | undefined {
    const key = this.#keyOf(release.owner)
    return key && read(this.#release(nowMs, release, key))
  }

  /** New words for a release. */
  revision({ release }: ReleaseRecord, nowMs: number): SetRecord | undefined {
    const key = this.#keyOf(release.owner)
    if (key === undefined) return undefined
    const words = { description: `revised at ${nowMs}`, keywords: [this.#random.pick(['a', 'b', 'c'])] }
    const sequence = nextSequence(nowMs, release.sequence)
    return read(createReleaseRecord({ ...release, ...words, sequence }, key))
  }

  /** Its owner's word on whether a release should be used; `last` is the one before. */
  status({ release }: ReleaseRecord, nowMs: number, last?: SignedRecord): SetRecord | undefined {
    const key = this.#keyOf(release.owner)
    if (key === undefined) return undefined
    const { name, version, content } = release
    const state = this.#random.pick(RELEASE_STATES)
    return read(
      createStatusRecord(
        { name, version, content, state, sequence: nextSequence(nowMs, last?.sequence) },
        key
      )
    )
  }

  attestation({ release }: ReleaseRecord, nowMs: number): SetRecord {
    const { name, version, owner, content } = release
    const statement = this.#random.pick(['tested', 'built'])
    const said = {
      name,
      version,
      owner,
      content,
      statement,
      holds: this.#random.chance(0.8),
      sequence: nowMs
    }
    return read(createAttestationRecord(said, this.#random.pick(this.#keys)))
  }

  /** What another owner signs as the same version at the same time. */
  rival({ release }: ReleaseRecord): SetRecord {
    const others = this.#keys.filter(({ publicKey }) => Buffer.compare(publicKey, release.owner) !== 0)
    return read(this.#release(release.sequence, release, this.#random.pick(others)))
  }

  #release(
    nowMs: number,
    { name, version }: Pick<Release, 'name' | 'version'>,
    key: SigningKey
  ): ReleaseRecord {
    const content = contentOf(`content ${this.#random.chance(0.8) ? this.#contents++ : 0}`)
    const fixed = { type: 'package', sizeBytes: 1, files: 1 } as const
    return createReleaseRecord({ ...fixed, name, version, content, publishedAt: nowMs, sequence: nowMs }, key)
  }

  #keyOf(owner: Uint8Array): SigningKey | undefined {
    return this.#keys.find(({ publicKey }) => Buffer.compare(publicKey, owner) === 0)
  }
}

/** One of a few good records, of nobody who publishes here. */
export function strayRecord(random: Random): SetRecord {
  const content = contentOf(`stray ${random.below(STRAYS)}`)
  const fixed = { type: 'package', name: 'stray', version: '1.0.0', sizeBytes: 1, files: 1 } as const
  const signedMs = { publishedAt: STRAYED_MS, sequence: STRAYED_MS }
  return read(createReleaseRecord({ ...fixed, ...signedMs, content }, keyOf('stray')))
}

/** From a copy of its bytes: what was signed is a part of some larger buffer, which each record would keep in memory for good. */
const read = ({ bytes }: ReleaseRecord | StatementRecord): SetRecord => readRecord(Uint8Array.from(bytes))
