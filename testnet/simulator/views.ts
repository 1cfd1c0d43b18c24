import { CONFLICT_STRATEGIES } from '../../config/index.ts'
import {
  type ReleaseRecord,
  recordHash,
  releaseOf,
  type StatementRecord,
  StatementSet
} from '../../library/index.ts'
import { type VersionView, type ViewPolicy, viewOfName } from '../../sync/index.ts'
import type { Random } from './random.ts'
import { hex, type SetRecord } from './records.ts'
import { Violation } from './violation.ts'

/**
 * What a set of records comes to under every strategy, as text: equal for equal sets and policies, in whatever order `random` has
 * them looked at.
 */
export function viewsOf(
  records: readonly SetRecord[],
  weights: ViewPolicy['weights'],
  random: Random
): string {
  const shuffled = random.shuffled(records).map(({ record }) => record)
  const releases = shuffled.filter((record): record is ReleaseRecord => record.kind === 'release')
  const statements = shuffled.filter((record): record is StatementRecord => record.kind !== 'release')
  const byName = Map.groupBy(releases, ({ release }) => release.name)
  const said = Map.groupBy(statements, statement => releaseOf(statement).name)
  return [...byName.keys()]
    .sort()
    .flatMap(name =>
      CONFLICT_STRATEGIES.map(strategy => {
        const claims = { records: byName.get(name)!, statements: new StatementSet(said.get(name) ?? []) }
        const { owners, versions } = viewOfName(claims, { strategy, weights })
        if (strategy === 'newest-wins' && owners.length > 1) expectNewest(versions)
        const shown = versions.map(({ version, outcome, claims, winner, merged }) => [
          version,
          outcome,
          winner && hex(winner.owner),
          merged,
          claims.map(({ owner, weight, records }) => [
            hex(owner),
            weight,
            records.map(({ id }) => id.toString())
          ])
        ])
        return JSON.stringify([name, strategy, owners.map(hex), shown])
      })
    )
    .join('\n')
}

/** The newest record of all wins; of some that are equally new the one with the larger recHash, whoever signed it. */
function expectNewest(versions: readonly VersionView[]): void {
  for (const { version, claims, winner } of versions) {
    const rank = ({ sequence, bytes }: ReleaseRecord): string =>
      `${String(sequence).padStart(16, '0')} ${hex(recordHash(bytes))}`
    const ranked = claims.flatMap(({ owner, records }) =>
      records.map(record => ({ owner: hex(owner), rank: rank(record) }))
    )
    const newest = ranked.reduce((best, other) => (other.rank > best.rank ? other : best))
    if (winner === undefined || hex(winner.owner) !== newest.owner)
      throw new Violation(`the newest record does not win the version ${version}`)
  }
}
