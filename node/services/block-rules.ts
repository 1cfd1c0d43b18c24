/**
 * What an operator keeps away from a node: all releases of an owner, releases of a name, or one by the hash of its record or its content. Pure:
 * says which rule, if any, a release falls under.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import { formatSpec, parseSpec, type Spec, specCovers } from '../../library/index.ts'
import { formatPublicKey, parsePublicKey } from '../../trust/index.ts'

/** What is looked at of a release. */
export interface BlockableRelease {
  readonly name: string
  readonly version: string
  readonly owner: Uint8Array
  readonly content: CID
}

/** How public keys begin, which no name does: it is lower case. */
const KEY_PREFIX = 'z6Mk'

type Named = Exclude<Spec, { kind: 'id' }>

/** The one way in which a subject is written: of two texts that mean the same. INVALID_ARGUMENT for what is none. */
export function subjectOf(text: string): string {
  try {
    return text.startsWith(KEY_PREFIX) ? formatPublicKey(parsePublicKey(text)) : formatSpec(parseSpec(text))
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', `${JSON.stringify(text)} is nothing that can be blocked`, {
      hint: 'give the public key of an owner, a name with or without a range (NAME@RANGE), or the CID of a record or content',
      cause
    })
  }
}

/** The record or content that a subject names by its hash. */
export function idOf(subject: string): CID | undefined {
  const spec = subject.startsWith(KEY_PREFIX) ? undefined : parseSpec(subject)
  return spec?.kind === 'id' ? spec.id : undefined
}

/** Subjects that are in force, found in a step or two however many there are. */
export class BlockRules {
  /** Public keys and CIDs, as text. */
  readonly #exact = new Set<string>()
  readonly #byName = new Map<string, Named[]>()

  /** Subjects as `subjectOf` writes them. */
  constructor(subjects: Iterable<string>) {
    for (const subject of subjects) this.#add(subject)
  }

  get isEmpty(): boolean {
    return this.#exact.size === 0 && this.#byName.size === 0
  }

  /** The subject under which a release is blocked. `id`: of its record, where that is known. */
  ruleOf({ name, version, owner, content }: BlockableRelease, id?: CID): string | undefined {
    if (this.isEmpty) return undefined
    const exact = [formatPublicKey(owner), content.toString(), ...(id === undefined ? [] : [id.toString()])]
    const found = exact.find(subject => this.#exact.has(subject))
    if (found !== undefined) return found
    const named = this.#byName.get(name)?.find(spec => specCovers(spec, version))
    return named === undefined ? undefined : formatSpec(named)
  }

  /**
   * The subject under which all is blocked that may be meant by a spec, and by this owner where one is named: so nobody need be asked for it. A range that
   * covers another one may go unnoticed.
   */
  ruleOfAll(spec: Spec, owner?: Uint8Array): string | undefined {
    if (owner !== undefined && this.#exact.has(formatPublicKey(owner))) return formatPublicKey(owner)
    if (spec.kind === 'id') return this.#exact.has(spec.id.toString()) ? spec.id.toString() : undefined
    const named = this.#byName
      .get(spec.name)
      ?.find(
        rule =>
          rule.kind === 'any' ||
          (spec.kind === 'range' && (spec.exact ? specCovers(rule, spec.range) : rule.range === spec.range))
      )
    return named === undefined ? undefined : formatSpec(named)
  }

  #add(subject: string): void {
    if (subject.startsWith(KEY_PREFIX)) this.#exact.add(subject)
    else {
      const spec = parseSpec(subject)
      if (spec.kind === 'id') this.#exact.add(subject)
      else this.#byName.set(spec.name, [...(this.#byName.get(spec.name) ?? []), spec])
    }
  }
}
