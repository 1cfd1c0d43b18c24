/**
 * Releases that the operator has blocked: not fetched, published, imported or joined, not served or announced, and meant by no range, whoever publishes, mirrors or pins them.
 * What is blocked stands in the database, so it holds after a restart; what is here of it goes when it is blocked (block-dropping.ts).
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, type Clock, type Logger } from '../../base/index.ts'
import {
  type Database,
  formatSpec,
  KeyFamily,
  makeKey,
  type ReleaseRecord,
  type Spec
} from '../../library/index.ts'
import { type BlockableRelease, BlockRules, subjectOf } from './block-rules.ts'

/** More than an operator blocks one by one; about 200 bytes each, all of them in memory. */
export const MAX_BLOCKED = 10_000
/** Characters of a reason: a line. */
export const MAX_REASON_CHARS = 200
/** A row is a reason and a time; a longer one is damage. */
const MAX_ROW_BYTES = 2048

export interface Blocked {
  /** Public key of an owner, a name with or without a range, or a CID. */
  readonly subject: string
  readonly reason?: string
  /** Milliseconds since the epoch. */
  readonly blockedAt: number
}

export interface BlockingModules {
  database: Database
  clock: Pick<Clock, 'now'>
  logger: Logger
}

export class Blocking {
  readonly #modules: BlockingModules
  readonly #blocked = new Map<string, Blocked>()
  #rules = new BlockRules([])

  /** Puts in force what earlier lives of the daemon were told. Of a row that cannot be read the reason is lost, and nothing else. */
  static async open(modules: BlockingModules, signal?: AbortSignal): Promise<Blocking> {
    const blocking = new Blocking(modules)
    const prefix = makeKey(KeyFamily.Blocked)
    for await (const [key, value] of modules.database.iterate({ prefix, limit: MAX_BLOCKED }, signal)) {
      const subject = Buffer.from(key).toString('utf8', prefix.byteLength)
      const row = readRow(value)
      if (row === undefined) modules.logger.warn({ subject }, 'the row of what is blocked cannot be read')
      blocking.#blocked.set(subject, { subject, ...(row ?? { blockedAt: 0 }) })
    }
    blocking.#inForce()
    return blocking
  }

  private constructor(modules: BlockingModules) {
    this.#modules = modules
  }

  /** In the order of their subjects. */
  list(): Blocked[] {
    return [...this.#blocked.values()].sort((a, b) => (a.subject < b.subject ? -1 : 1))
  }

  /** Durable and in force when it resolves; once more with a reason it changes that. INVALID_ARGUMENT, LIMIT_EXCEEDED. */
  async add(text: string, reason: string | undefined, signal?: AbortSignal): Promise<Blocked> {
    const subject = subjectOf(text)
    if (!this.#blocked.has(subject) && this.#blocked.size >= MAX_BLOCKED)
      throw new CatalogError(
        'LIMIT_EXCEEDED',
        `${MAX_BLOCKED} owners, names and hashes are blocked already`,
        {
          hint: 'let in again what need not be blocked: `catalog block list` shows all'
        }
      )
    const why = reason ?? this.#blocked.get(subject)?.reason
    const row = { blockedAt: this.#modules.clock.now(), ...(why === undefined ? {} : { reason: why }) }
    await this.#write({ type: 'put', key: keyOf(subject), value: Buffer.from(JSON.stringify(row)) }, signal)
    const blocked = { subject, ...row }
    this.#blocked.set(subject, blocked)
    this.#inForce()
    return blocked
  }

  /** INVALID_ARGUMENT, NOT_FOUND. */
  async remove(text: string, signal?: AbortSignal): Promise<Blocked> {
    const subject = subjectOf(text)
    const blocked = this.#blocked.get(subject)
    if (blocked === undefined)
      throw new CatalogError('NOT_FOUND', `${subject} is not blocked`, {
        hint: '`catalog block list` shows what is'
      })
    await this.#write({ type: 'del', key: keyOf(subject) }, signal)
    this.#blocked.delete(subject)
    this.#inForce()
    return blocked
  }

  /** Those in force. */
  get rules(): BlockRules {
    return this.#rules
  }

  /** What a release is blocked by. `id`: of its record, where that is known. */
  blockOf(release: BlockableRelease, id?: CID): Blocked | undefined {
    const subject = this.#rules.ruleOf(release, id)
    return subject === undefined ? undefined : this.#blocked.get(subject)
  }

  isBlocked({ release, id }: ReleaseRecord): boolean {
    return this.blockOf(release, id) !== undefined
  }

  /** RELEASE_BLOCKED for a release that is blocked. */
  expectAllowed({ release, id }: ReleaseRecord): void {
    const { name, version } = release
    const blocked = this.blockOf(release, id)
    if (blocked !== undefined) throw blockedError(`${name}@${version}`, blocked, { name, version })
  }

  /** RELEASE_BLOCKED when all is blocked that may be meant: nobody is asked for it. */
  expectSomeAllowed(spec: Spec, owner?: Uint8Array): void {
    const subject = this.#rules.ruleOfAll(spec, owner)
    const blocked = subject === undefined ? undefined : this.#blocked.get(subject)
    if (blocked !== undefined) throw blockedError(formatSpec(spec), blocked)
  }

  #inForce(): void {
    this.#rules = new BlockRules(this.#blocked.keys())
  }

  #write(operation: Parameters<Database['write']>[0][number], signal?: AbortSignal): Promise<void> {
    return this.#modules.database.write([operation], { sync: true, ...(signal && { signal }) })
  }
}

const blockedError = (what: string, { subject, reason }: Blocked, details: object = {}): CatalogError =>
  new CatalogError(
    'RELEASE_BLOCKED',
    `${what} is blocked on this node${reason === undefined ? '' : `: ${reason}`}`,
    { details: { ...details, subject }, hint: `to let it in again: catalog block remove ${subject}` }
  )

const keyOf = (subject: string): Uint8Array => makeKey(KeyFamily.Blocked, Buffer.from(subject))

function readRow(value: Uint8Array): Omit<Blocked, 'subject'> | undefined {
  if (value.byteLength > MAX_ROW_BYTES) return undefined
  try {
    const { reason, blockedAt } = JSON.parse(Buffer.from(value).toString()) as Partial<Blocked>
    if (!Number.isSafeInteger(blockedAt)) return undefined
    return { blockedAt: blockedAt!, ...(typeof reason === 'string' ? { reason } : {}) }
  } catch {
    return undefined
  }
}
