import { CONFLICT_STRATEGIES, type Config, type ConflictStrategy } from '../../config/index.ts'
import { formatPublicKey, parsePublicKey } from '../../trust/index.ts'

/** The section `[conflicts]` of the configuration, read. */
export interface ConflictRules {
  readonly strategy: ConflictStrategy
  /** By @scope or name. */
  readonly subjects: ReadonlyMap<string, ConflictStrategy>
  /** What the attestations of a key weigh, by its text form. */
  readonly weights: ReadonlyMap<string, number>
}

/** Which strategy holds for a name, and whose word that is. */
export interface ChosenStrategy {
  readonly strategy: ConflictStrategy
  /** The name or @scope that it is set for; absent for the one that holds for all. */
  readonly subject?: string
  /** `node`: set with `catalog conflicts resolve`. */
  readonly origin: 'node' | 'config'
}

/** Reads checked configuration values. Throws KEY_INVALID for a key that has the form of one and is none. */
export function conflictRules({ strategy, scopes, attestors }: Config['conflicts']): ConflictRules {
  const subjects = scopes.map(entry => entry.split(' ') as [string, ConflictStrategy])
  const weights = attestors.map(entry => {
    const [key = '', weight] = entry.split(' ')
    return [formatPublicKey(parsePublicKey(key)), Number(weight)] as const
  })
  return { strategy, subjects: new Map(subjects), weights: new Map(weights) }
}

/** What a strategy may be set for that holds for this name, the nearest first: the name, its scope. */
export function subjectsOf(name: string): string[] {
  const slash = name.indexOf('/')
  return slash < 0 ? [name] : [name, name.slice(0, slash)]
}

/** The strategy for a name: the nearest subject's, and of one subject what was set on this node before what is configured. */
export function strategyFor(
  name: string,
  rules: ConflictRules,
  setHere: (subject: string) => string | undefined
): ChosenStrategy {
  for (const subject of subjectsOf(name)) {
    const here = CONFLICT_STRATEGIES.find(strategy => strategy === setHere(subject))
    if (here !== undefined) return { strategy: here, subject, origin: 'node' }
    const configured = rules.subjects.get(subject)
    if (configured !== undefined) return { strategy: configured, subject, origin: 'config' }
  }
  return { strategy: rules.strategy, origin: 'config' }
}
