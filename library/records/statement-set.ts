import { releaseKey, supersedes, trieKey } from './set-keys.ts'
import { releaseOf } from './statements.ts'
import type { Attestation, ReleaseIdentity, StatementRecord, Status } from './types.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/**
 * Statements about releases, from wherever they came: of two for one key the winner stays (set-keys.ts), so the same
 * statements say the same in whatever order they are added. Holds what it is given; who collects from peers bounds that.
 */
export class StatementSet {
  /** By the key of the release, then by that of the statement. */
  readonly #byRelease = new Map<string, Map<string, StatementRecord>>()

  constructor(statements: Iterable<StatementRecord> = []) {
    for (const statement of statements) this.add(statement)
  }

  /** False when the same statement or a newer one for its key is there. */
  add(statement: StatementRecord): boolean {
    const release = hex(releaseKey(releaseOf(statement)))
    const statements = this.#byRelease.get(release) ?? new Map<string, StatementRecord>()
    const key = hex(trieKey(statement))
    const known = statements.get(key)
    if (known !== undefined && !supersedes(statement, known)) return false
    this.#byRelease.set(release, statements.set(key, statement))
    return true
  }

  /** The owner's last word on a release; undefined while there is none. */
  statusOf(release: ReleaseIdentity): Status | undefined {
    for (const statement of this.about(release)) if (statement.kind === 'status') return statement.status
    return undefined
  }

  /** What is attested of a release and not taken back, in an order that does not depend on when it came. */
  attestationsOf(release: ReleaseIdentity): Attestation[] {
    return this.about(release)
      .flatMap(statement => (statement.kind === 'attestation' ? [statement.attestation] : []))
      .filter(({ holds }) => holds)
  }

  *[Symbol.iterator](): Generator<StatementRecord> {
    for (const statements of this.#byRelease.values()) yield* statements.values()
  }

  /** All statements about a release, by key. */
  about(release: ReleaseIdentity): StatementRecord[] {
    const statements = this.#byRelease.get(hex(releaseKey(release))) ?? new Map<string, StatementRecord>()
    return [...statements].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, statement]) => statement)
  }
}
