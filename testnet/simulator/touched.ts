import { idOfCopy, isFollowedLibrary, KeyFamily } from '../../library/index.ts'
import { hex } from './records.ts'

const HASH_BYTES = 32

/**
 * What a batch has changed on the disk of a node, as far as it may break a promise: what it did not touch is as good as it was when it was
 * last looked at.
 */
export class Touched {
  /** Ids, in hex, of libraries of other nodes of which a head, the copy or its tree has changed. */
  readonly libraries = new Set<string>()
  /** Names of own libraries whose tree has changed. */
  readonly own = new Set<string>()
  /** Records whose bytes came, by recHash in hex, */
  readonly stored = new Set<string>()
  /** and what those were that went. */
  readonly erased = new Map<string, Uint8Array>()

  /** A row has come, changed or gone; `before` is undefined where there was none. */
  note(key: string, before: Uint8Array | undefined): void {
    const part = (family: string, bytes = HASH_BYTES): string =>
      hex(Buffer.from(key.slice(family.length, family.length + bytes), 'latin1'))
    if (key.startsWith(KeyFamily.Record)) {
      const recHash = part(KeyFamily.Record)
      if (before === undefined) this.stored.add(recHash)
      else this.erased.set(recHash, before)
    } else if (key.startsWith(KeyFamily.Head)) this.libraries.add(part(KeyFamily.Head))
    else if (key.startsWith(KeyFamily.Followed)) this.libraries.add(part(KeyFamily.Followed))
    else if (key.startsWith(KeyFamily.Tree)) {
      const libraryId = key.slice(KeyFamily.Tree.length)
      if (isFollowedLibrary(libraryId)) this.libraries.add(hex(idOfCopy(libraryId)))
      else this.own.add(libraryId)
    }
  }

  clear(): void {
    for (const changed of [this.libraries, this.own, this.stored, this.erased]) changed.clear()
  }
}
