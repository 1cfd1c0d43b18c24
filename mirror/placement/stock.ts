import type { CidText } from '../types.ts'
import { transferOf } from './capacity.ts'
import type { Entry } from './entry.ts'
import type { Candidate } from './types.ts'

const isCounted = ({ have }: Candidate): boolean => have === 'mirror' || have === 'coming'

/** What this node holds or fetches as a mirror, in bytes, in all and by owner. */
export class Stock {
  readonly ownerBytes = new Map<string, number>()
  readonly #mirrored = new Set<CidText>()
  usedBytes = 0

  /** `budgetBytes`: what is transferred because of it, once. */
  change(before: Candidate | undefined, after: Candidate | undefined): { budgetBytes: number } {
    if (before !== undefined && isCounted(before)) this.#add(before, -before.bytes)
    if (after !== undefined && isCounted(after)) this.#add(after, after.bytes)
    if (before?.have === 'mirror') this.#mirrored.delete(before.content.toString())
    if (after?.have === 'mirror') this.#mirrored.add(after.content.toString())
    const isBegun = after?.have === 'coming' && before?.have !== 'coming'
    return { budgetBytes: isBegun ? transferOf(before ?? after) : 0 }
  }

  mirrored(entries: ReadonlyMap<CidText, Entry>): Entry[] {
    return [...this.#mirrored].map(content => entries.get(content)!)
  }

  #add({ owner }: Candidate, bytes: number): void {
    this.usedBytes += bytes
    const ownerBytes = (this.ownerBytes.get(owner) ?? 0) + bytes
    if (ownerBytes === 0) this.ownerBytes.delete(owner)
    else this.ownerBytes.set(owner, ownerBytes)
  }
}
