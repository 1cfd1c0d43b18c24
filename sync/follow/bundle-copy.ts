/**
 * Makes the copy of another node's library what a bundle has of it, where that is the whole library. Each record of a bundle is proven to be
 * in the set of its head, and the proof says how many are: so when as many have come, under keys that differ, all of them have, and what the
 * copy has beside them goes. Of a bundle that ends before that nothing counts, and nothing is left when it is closed.
 */
import { CatalogError } from '../../base/index.ts'
import { decodeVerifiedMember, recordHash, trieKey } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { decodeHead, type Head, judgeHead, readHead } from '../heads/index.ts'
import { entryCount, entryKey, findRecord, iterateEntries } from '../trie/index.ts'
import type { FollowedId } from './copies.ts'
import { CopyDraft, type DraftModules, textOf } from './draft.ts'
import { expectMeant } from './expect-head.ts'
import { expectWithin } from './limits.ts'
import type { BundleOpening, BundleOutcome } from './types.ts'

export class BundleCopy {
  readonly #modules: DraftModules
  readonly #opening: BundleOpening
  readonly #id: FollowedId
  readonly #head: Head
  readonly #draft: CopyDraft
  /** The head that the copy is equal to, or the last one that is known, is a later one. */
  readonly #isBehind: boolean
  /** Keys of the records that came: MAX_BUNDLE_RECORDS at most, some 80 bytes each. */
  readonly #seen = new Set<string>()
  #seenBytes = 0
  readonly #openedMs: number
  #received = 0

  /** HEAD_INVALID, LIMIT_EXCEEDED for a library of more records than is followed; CONTENT_CORRUPT, TREE_DAMAGED. */
  static async open(modules: DraftModules, opening: BundleOpening, nowMs: number): Promise<BundleCopy> {
    expectWithin({ records: opening.records, sizeBytes: 0 }, opening)
    const { library, writer, name } = opening
    const id = { library, writer, name }
    const draft = await CopyDraft.open(modules, { id, isAnew: false, isOfBundle: true, isDryRun: false })
    try {
      return new BundleCopy(modules, opening, draft, nowMs)
    } catch (thrown) {
      await draft.close()
      throw thrown
    }
  }

  private constructor(modules: DraftModules, opening: BundleOpening, draft: CopyDraft, nowMs: number) {
    const { library, writer, name } = opening
    this.#modules = modules
    this.#opening = opening
    this.#openedMs = nowMs
    this.#id = { library, writer, name }
    this.#draft = draft
    this.#head = decodeHead(Uint8Array.from(opening.head))
    expectMeant(this.#head, opening, draft.row)
    draft.meant(this.#head)
    const known = [draft.row.head, readHead(draft.before, library, writer)]
    this.#isBehind = known.some(head => judgeHead(head, this.#head, nowMs) === 'older')
  }

  /** Records that are signed and proven. LIMIT_EXCEEDED when they are too much for a copy. */
  async take(records: readonly Uint8Array[], nowMs: number): Promise<void> {
    if (this.#isBehind) return
    for (const bytes of records) await this.#take(bytes)
    await this.#spillIfFull(nowMs)
  }

  /** All have come. SYNC_DIVERGED when they are as many as the head's, and others. */
  async end(nowMs: number): Promise<BundleOutcome> {
    if (this.#isBehind) return this.#outcome('behind')
    if (this.#seen.size < this.#opening.records) return this.#outcome('part')
    await this.#drop(nowMs)
    await this.#draft.apply()
    if (!bytesEqual(this.#draft.root, this.#head.root))
      throw new CatalogError('SYNC_DIVERGED', 'the records of the bundle are not those that its head is of')
    const outcome = this.#outcome(this.#draft.isSame ? 'equal' : 'updated')
    await this.#draft.accept(nowMs)
    return outcome
  }

  /**
   * What was made beside the copy that counts, and has not become it, would be of no use, and goes. What a session had made before stays: the
   * next one goes on with it, whatever has come into it.
   */
  async close(): Promise<void> {
    const { copies, slice } = this.#modules
    try {
      await copies.giveUpBundle(this.#id, this.#openedMs, slice)
    } finally {
      await this.#draft.close()
    }
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const { slice } = this.#modules
    if (slice.due()) await slice.pause()
    // A copy: the record is kept, what it came in is not.
    const record = decodeVerifiedMember(Uint8Array.from(bytes))
    const keyed = { trieKey: trieKey(record), recHash: recordHash(record.bytes) }
    const key = textOf(keyed.trieKey)
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#seenBytes += record.bytes.byteLength
    expectWithin({ records: this.#seen.size, sizeBytes: this.#seenBytes }, this.#opening)
    const found = findRecord(this.#draft.view, keyed.trieKey)
    if (found !== undefined && bytesEqual(found, keyed.recHash)) return
    this.#draft.change(keyed, record.bytes)
    this.#received++
  }

  /** What the library has no more, goes. */
  async #drop(nowMs: number): Promise<void> {
    const { slice } = this.#modules
    await this.#draft.apply()
    for (const entries of iterateEntries(this.#draft.view)) {
      for (let at = 0; at < entryCount(entries); at++) {
        const key = entryKey(entries, at)
        if (!this.#seen.has(textOf(key))) this.#draft.change({ trieKey: key, recHash: undefined }, undefined)
      }
      await this.#spillIfFull(nowMs)
      if (slice.due()) await slice.pause()
    }
  }

  async #spillIfFull(nowMs: number): Promise<void> {
    if (this.#draft.isFull) await this.#draft.spill(nowMs)
  }

  #outcome(state: BundleOutcome['state']): BundleOutcome {
    const { records, removed } = this.#draft
    return { state, received: this.#received, removed, records }
  }
}
