import type { ConflictStrategy } from '../../config/index.ts'
import { checkName, type Database, KeyFamily, makeKey } from '../../library/index.ts'
import { type ChosenStrategy, type ConflictRules, strategyFor } from '../../sync/index.ts'
import { formatPublicKey, parsePublicKey } from '../../trust/index.ts'

/** What holds for a name. */
export interface NamePolicy extends ChosenStrategy {
  /** What the attestations of a key weigh, by its text form. */
  weights: ReadonlyMap<string, number>
}

/**
 * How this node looks at names that several owners claim: as configured, and as its operator has set it for a name or a scope since, which
 * is kept in the database.
 */
export class ConflictPolicies {
  readonly #database: Database
  readonly #rules: ConflictRules
  /** The keys whose attestations count here: a few, as configured. */
  readonly attestors: readonly Uint8Array[]

  constructor(modules: { database: Database }, options: { rules: ConflictRules }) {
    this.#database = modules.database
    this.#rules = options.rules
    this.attestors = [...options.rules.weights].flatMap(([key, weight]) =>
      weight > 0 ? [parsePublicKey(key)] : []
    )
  }

  of(name: string): NamePolicy {
    const setHere = (subject: string): string | undefined => {
      const row = this.#database.get(keyOf(subject))
      return row === undefined ? undefined : Buffer.from(row).toString()
    }
    return { ...strategyFor(name, this.#rules, setHere), weights: this.#rules.weights }
  }

  /** Whether what a key attests counts here, and is kept. */
  weighs(signer: Uint8Array): boolean {
    return (this.#rules.weights.get(formatPublicKey(signer)) ?? 0) > 0
  }

  /** Sets the strategy for a name or a @scope, durably; undefined lets the configured one hold again. NAME_INVALID. */
  async set(subject: string, strategy: ConflictStrategy | undefined, signal: AbortSignal): Promise<void> {
    // A scope is the first part of names.
    checkName(isScope(subject) ? `${subject}/any` : subject)
    const key = keyOf(subject)
    const operation =
      strategy === undefined
        ? ({ type: 'del', key } as const)
        : ({ type: 'put', key, value: Buffer.from(strategy) } as const)
    await this.#database.write([operation], { sync: true, signal })
  }
}

export const isScope = (subject: string): boolean => subject.startsWith('@') && !subject.includes('/')

const keyOf = (subject: string): Uint8Array => makeKey(KeyFamily.ConflictStrategy, Buffer.from(subject))
