import { PUBLIC_KEY_BYTES } from '../../trust/index.ts'
import { isName, isVersion } from '../names.ts'
import * as check from './checks.ts'
import { RECORD_LIMITS as LIMITS } from './limits.ts'
import { DEPENDENCY_KINDS, type Dependency, PACKAGE_TYPES } from './types.ts'

const word = check.text({ maxBytes: LIMITS.wordBytes })
const mapValue = check.text({ maxBytes: LIMITS.mapValueBytes })
const platform = check.text({
  maxBytes: LIMITS.platformBytes,
  form: /^[a-z0-9][a-z0-9._-]*$/,
  what: 'a platform such as linux-x64'
})
const time = check.integer(LIMITS.earliestMs, LIMITS.latestMs)

const name: check.Check = (value, field) => {
  if (typeof value !== 'string' || !isName(value)) check.refuse(field, 'is not a package name')
}
const version: check.Check = (value, field) => {
  if (typeof value !== 'string' || !isVersion(value)) check.refuse(field, 'is not strict SemVer')
}

interface Field {
  required: boolean
  check: check.Check
}
const must = (of: check.Check): Field => ({ required: true, check: of })
const may = (of: check.Check): Field => ({ required: false, check: of })

/**
 * A dependency is checked for its form only. What its range matches is decided by the resolver, which treats one that it
 * cannot read as matching nothing; the publishing side refuses those (publish-checks.ts).
 */
const DEPENDENCY_FIELDS: Record<keyof Dependency, Field> = {
  name: must(name),
  range: must(check.text({ maxBytes: LIMITS.rangeBytes, form: /^[ -~]+$/, what: 'printable ASCII' })),
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
  owner: must(check.bytes(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)),
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

/** Checks every known field of a map. Throws RECORD_INVALID. */
export function checkFields(map: Record<string, unknown>, fields: Record<string, Field>, prefix = ''): void {
  for (const [field, { required, check: run }] of Object.entries(fields)) {
    if (Object.hasOwn(map, field)) run(map[field], prefix + field)
    else if (required) check.refuse(prefix + field, 'is missing')
  }
}
