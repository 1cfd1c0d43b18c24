import * as check from './checks.ts'
import { checkFields, type Field, may, must, name, publicKey, range, version, word } from './fields.ts'
import { RECORD_LIMITS as LIMITS } from './limits.ts'
import { DEPENDENCY_KINDS, type Dependency, PACKAGE_TYPES } from './types.ts'

const mapValue = check.text({ maxBytes: LIMITS.mapValueBytes })
const platform = check.text({
  maxBytes: LIMITS.platformBytes,
  form: /^[a-z0-9][a-z0-9._-]*$/,
  what: 'a platform such as linux-x64'
})
const time = check.integer(LIMITS.earliestMs, LIMITS.latestMs)

/** What its range matches is decided by the resolver; the publishing side refuses one that it cannot read (publish-checks.ts). */
const DEPENDENCY_FIELDS: Record<keyof Dependency, Field> = {
  name: must(name),
  range: must(range),
  kind: must(check.oneOf(DEPENDENCY_KINDS)),
  platform: may(platform),
  features: may(check.list(word, LIMITS.featureList))
}

const dependency: check.Check = (value, field) => {
  if (!check.isMap(value)) check.refuse(field, 'is not a map')
  checkFields(value, DEPENDENCY_FIELDS, `${field}.`)
}

const dependencies: check.Check = (value, field) => {
  check.list(dependency, LIMITS.dependencies)(value, field)
  const seen = new Set<string>()
  for (const entry of value as Dependency[]) {
    const key = `${entry.name} ${entry.kind} ${entry.platform ?? ''}`
    if (seen.has(key)) check.refuse(field, `names ${entry.name} twice`)
    seen.add(key)
  }
}

/** The fields of a release's body. Others may stand beside them: they are kept, and mean nothing to this version. */
export const RELEASE_FIELDS = {
  name: must(name),
  version: must(version),
  owner: must(publicKey),
  chain: may(check.cid),
  format: must(check.integer(1, LIMITS.integer)),
  content: must(check.cid),
  sizeBytes: must(check.integer(0, LIMITS.integer)),
  files: must(check.integer(0, LIMITS.integer)),
  publishedAt: must(time),
  workStamp: may(check.bytes(1, LIMITS.workStampBytes)),
  type: must(check.oneOf(PACKAGE_TYPES)),
  description: may(check.text({ maxBytes: LIMITS.descriptionBytes, lines: true })),
  keywords: may(check.list(word, LIMITS.keywords)),
  categories: may(check.list(word, LIMITS.categories)),
  licence: may(
    check.text({ maxBytes: LIMITS.licenceBytes, form: /^[A-Za-z0-9 .:+()-]+$/, what: 'an SPDX expression' })
  ),
  authors: may(check.list(check.text({ maxBytes: LIMITS.authorBytes }), LIMITS.authors)),
  links: may(check.mapOf(check.link, LIMITS.links)),
  entryPoint: may(check.relativePath),
  dependencies: may(dependencies),
  features: may(check.mapOf(check.list(word, LIMITS.featureList), LIMITS.features)),
  requirements: may(check.mapOf(mapValue, LIMITS.requirements)),
  hooks: may(check.mapOf(mapValue, LIMITS.hooks)),
  migrations: may(check.mapOf(mapValue, LIMITS.migrations)),
  provenance: may(check.mapOf(mapValue, LIMITS.provenance)),
  extensions: may(check.mapOf(check.anything, LIMITS.extensions))
} as const satisfies Record<string, Field>
