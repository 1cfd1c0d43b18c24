import { displaySize, plural } from '../../base/index.ts'
import type { ReleaseInfo } from '../client/types.ts'
import { formatFields } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { warnOfStatus } from './releases.ts'

interface Options {
  publisher?: string
  local?: boolean
}

export const run = defineCommand(async (context, [spec]: [string], options: Options) => {
  const release = await context.client().request<ReleaseInfo>('GET', '/v1/releases', {
    query: { spec, publisher: options.publisher, network: options.local !== true },
    signal: context.signal
  })
  warnOfStatus(context, release)
  if (release.expiredAt !== undefined)
    context.output.warn(
      `the libraries that have it may be out of date since ${release.expiredAt}: a yank may be missing`
    )
  context.output.result(release, () =>
    formatFields([
      ['name', release.name],
      ['version', release.version],
      ['type', release.type],
      ['description', release.description],
      ['keywords', release.keywords?.join(', ')],
      ['licence', release.licence],
      ['authors', release.authors],
      ['links', Object.entries(release.links ?? {}).map(([key, link]) => `${key}: ${link}`)],
      ['publisher', release.publisher],
      ['published', release.publishedAt],
      ['libraries', release.libraries],
      ['record', release.id],
      ['content', release.content],
      [
        'size',
        `${displaySize(release.sizeBytes)}${release.files === undefined ? '' : ` in ${plural(release.files, 'file')}`}`
      ],
      [
        'dependencies',
        (release.dependencies ?? []).map(({ name, range, kind }) => `${name} ${range} (${kind})`)
      ],
      ['unresolved', (release.unresolved ?? []).map(({ name, range, kind }) => `${name} ${range} (${kind})`)],
      ['status', `${release.status}, ${release.access}`],
      ['reason', release.reason],
      ['replacement', release.replacement],
      ['attested', attestationLines(release)],
      ['conflict', conflictLines(release)],
      ['local', release.local]
    ])
  )
})

/** What others say of it, and stand by. */
function attestationLines({ attestations }: ReleaseInfo): string[] {
  return attestations.filter(({ holds }) => holds).map(({ signer, statement }) => `${statement} by ${signer}`)
}

/** That others claim the same version. */
function conflictLines({ name, conflict }: ReleaseInfo): string[] | undefined {
  if (conflict === undefined) return undefined
  const { outcome, strategy, claimants } = conflict
  return [`${outcome} (${strategy}); see \`catalog conflicts show ${name}\``, ...claimants]
}
