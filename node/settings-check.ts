/**
 * What the patterns of the configuration let through and no daemon can start with: a text that is written like a key, a peer id or an
 * address and is none. Only the parts to the right of the configuration can read those.
 */
import { toCatalogError } from '../base/index.ts'
import { type Config, type ConfigProblem, type LoadedConfig, throwProblems } from '../config/index.ts'
import { parseAddress } from './host/index.ts'
import { classesOf } from './services/release-filter.ts'
import { subscriptionsOf } from './services/subscription.ts'

interface ReadList {
  readonly of: (config: Config) => readonly string[]
  /** Throws for an entry that cannot be read. */
  readonly read: (entry: string) => unknown
}

const LISTS: Readonly<Record<string, ReadList>> = {
  'network.bootstrap': { of: ({ network }) => network.bootstrap, read: parseAddress },
  'sync.follow': { of: ({ sync }) => sync.follow, read: line => subscriptionsOf([line]) },
  'sync.priority': { of: ({ sync }) => sync.priority, read: line => classesOf([line]) },
  'mirror.list': { of: ({ mirror }) => mirror.list, read: line => classesOf([line]) }
}

/** A problem for each entry that cannot be read; none when all can. */
export const unreadableSettings = ({
  values,
  origins
}: Pick<LoadedConfig, 'values' | 'origins'>): ConfigProblem[] =>
  Object.entries(LISTS).flatMap(([key, { of }]) =>
    unreadableEntries(key, of(values), origins.get(key) ?? 'default')
  )

/** The same of the value of one key, as the configuration gives it. */
export function unreadableEntries(key: string, value: unknown, origin: string): ConfigProblem[] {
  const list = LISTS[key]
  if (list === undefined) return []
  return (value as readonly string[]).flatMap(entry => {
    try {
      list.read(entry)
      return []
    } catch (thrown) {
      const { message, hint } = toCatalogError(thrown)
      const what = `${key} has '${entry}' (${origin}): ${message}`
      return [{ code: 'CONFIG_BAD_VALUE', origin, key, value: entry, rule: hint, message: what }]
    }
  })
}

/** Throws CONFIG_BAD_VALUE with all problems when an entry cannot be read. */
export function expectReadable(loaded: Pick<LoadedConfig, 'values' | 'origins'>): void {
  throwProblems(unreadableSettings(loaded))
}
