/** What an install says at its end. */
import { displayDuration, displaySize, plural } from '../../base/index.ts'
import type { InstalledPackage } from '../../library/index.ts'
import type { FetchResult } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { printable } from '../framework/format.ts'
import type { OwnerChange } from './owners.ts'

/** Dependencies of these kinds are needed where a package is used. */
export const NEEDED_KINDS = new Set(['required', 'peer'])
/** Unresolved dependencies that the text names, one per line; --json names all. */
const MAX_UNRESOLVED_LINES = 20

/** A dependency that the release `by` needs and this install did not bring. */
interface Unresolved {
  name: string
  range: string
  kind: string
  by: string
}

export function showResult(
  context: Context,
  root: string,
  installed: InstalledPackage[],
  releases: FetchResult[],
  ownersChanged: OwnerChange[],
  tookMs: number
): void {
  const bytesFetched = releases.reduce((sum, release) => sum + release.bytesFetched, 0)
  const sizeBytes = releases.reduce((sum, release) => sum + release.sizeBytes, 0)
  const unresolved = unresolvedOf(installed, releases)
  const result = {
    target: root,
    installed,
    bytesFetched,
    tookMs: Math.round(tookMs),
    unresolved,
    ownersChanged,
    warnings: releases.filter(({ status }) => status !== 'published').map(saidOf)
  }
  context.output.result(result, () =>
    [
      ...installed.map(({ name, version, path }) => `${name}@${version}  ${printable(path)}`),
      `${plural(installed.length, 'package')}, ${displaySize(sizeBytes)} (${displaySize(bytesFetched)} fetched) in ${displayDuration(Math.round(tookMs))}`
    ].join('\n')
  )
  for (const { name, from, to } of ownersChanged)
    context.output.warn(`owner of ${name} changed from ${from} to ${to}`)
  if (unresolved.length === 0) return
  context.output.note('Dependencies are not resolved yet; these are needed and not installed here:')
  for (const { name, range, by } of unresolved.slice(0, MAX_UNRESOLVED_LINES))
    context.output.note(printable(`  ${name}@${range} (for ${by})`))
  if (unresolved.length > MAX_UNRESOLVED_LINES)
    context.output.note(`  and ${unresolved.length - MAX_UNRESOLVED_LINES} more: --json names all`)
}

const saidOf = ({ name, version, status, reason, replacement }: FetchResult) => ({
  name,
  version,
  status,
  reason,
  replacement
})

/** What the installed releases need, and the folder has not got from this install. */
function unresolvedOf(installed: InstalledPackage[], releases: FetchResult[]): Unresolved[] {
  const here = new Set(installed.map(({ name }) => name))
  return releases.flatMap(({ name: by, dependencies = [], unresolved = [] }) =>
    [...dependencies, ...unresolved]
      .filter(({ kind, name }) => NEEDED_KINDS.has(kind) && !here.has(name))
      .map(({ name, range, kind }) => ({ name, range, kind, by }))
  )
}
