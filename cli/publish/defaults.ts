/**
 * What a folder says about itself: `catalog-package.toml`, else `package.json`. The first is our own, so a wrong field
 * in it is an error; the second was written for npm, so what has no meaning here is left out with a warning, and a dependency that has no form here is kept as
 * it stands, under `extensions.npmDependencies`: a release never lacks what it needs without saying so.
 */
import path from 'node:path'
import { parse as parseToml } from 'smol-toml'
import { CatalogError, MIB } from '../../base/index.ts'
import {
  checkDescription,
  type Dependency,
  type DependencyKind,
  isName,
  isRange,
  type ReleaseDescription
} from '../../library/index.ts'
import { readSmallFile } from './small-file.ts'

export const PACKAGE_FILE = 'catalog-package.toml'
const NPM_FILE = 'package.json'
/** A description file is some kilobytes. */
const FILE_MAX_BYTES = 4 * MIB
/** As many keywords and authors as a record holds; npm has no limit. */
const KEYWORDS_MAX = 32
const AUTHORS_MAX = 64

export interface PackageDefaults {
  name?: string
  version?: string
  description: Partial<ReleaseDescription>
  /** What could not be taken over, in sentences. */
  warnings: string[]
}

/** Reads the defaults of a folder; empty ones when it says nothing. Throws INVALID_ARGUMENT, SOURCE_UNREADABLE. */
export function readDefaults(folder: string): PackageDefaults {
  const own = readSmallFile(path.join(folder, PACKAGE_FILE), FILE_MAX_BYTES)
  if (own !== undefined) return fromToml(own)
  const npm = readSmallFile(path.join(folder, NPM_FILE), FILE_MAX_BYTES)
  return npm === undefined ? { description: {}, warnings: [] } : fromNpm(npm)
}

/** Fields of catalog-package.toml: those of a release, `dependencies` as a table of ranges per kind. */
const TOML_FIELDS = new Set([
  'name',
  'version',
  'type',
  'description',
  'keywords',
  'categories',
  'licence',
  'authors',
  'links',
  'entryPoint',
  'dependencies',
  'optionalDependencies',
  'developmentDependencies',
  'buildDependencies',
  'peerDependencies',
  'features',
  'requirements',
  'hooks',
  'migrations',
  'provenance',
  'extensions'
])

const TOML_DEPENDENCIES: Record<string, DependencyKind> = {
  dependencies: 'required',
  optionalDependencies: 'optional',
  developmentDependencies: 'development',
  buildDependencies: 'build',
  peerDependencies: 'peer'
}

function fromToml(text: string): PackageDefaults {
  let table: Record<string, unknown>
  try {
    table = parseToml(text)
  } catch (cause) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${PACKAGE_FILE} is not valid TOML: ${(cause as Error).message}`,
      { cause }
    )
  }
  const unknown = Object.keys(table).find(key => !TOML_FIELDS.has(key))
  if (unknown !== undefined) {
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${PACKAGE_FILE} has the unknown field ${JSON.stringify(unknown)}`,
      {
        hint: `known are ${[...TOML_FIELDS].join(', ')}`
      }
    )
  }
  const { name, version, ...fields } = table
  const dependencies: Dependency[] = []
  for (const [field, kind] of Object.entries(TOML_DEPENDENCIES)) {
    for (const [dependency, range] of Object.entries(asTable(fields[field], field)))
      dependencies.push({ name: dependency, range: asText(range, `${field}.${dependency}`), kind })
    delete fields[field]
  }
  // The rest is meant to have the very shape of a release's fields.
  const description: Partial<ReleaseDescription> = {
    ...(fields as Partial<ReleaseDescription>),
    ...(dependencies.length > 0 ? { dependencies } : {})
  }
  checkDescription(description)
  return {
    ...(name === undefined ? {} : { name: asText(name, 'name') }),
    ...(version === undefined ? {} : { version: asText(version, 'version') }),
    description,
    warnings: []
  }
}

function asTable(value: unknown, field: string): Record<string, unknown> {
  if (value === undefined) return {}
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new CatalogError('INVALID_ARGUMENT', `${field} in ${PACKAGE_FILE} is not a table`)
}

function asText(value: unknown, field: string): string {
  if (typeof value === 'string') return value
  throw new CatalogError('INVALID_ARGUMENT', `${field} in ${PACKAGE_FILE} is not a text`)
}

const NPM_DEPENDENCIES: Record<string, DependencyKind> = {
  dependencies: 'required',
  optionalDependencies: 'optional',
  devDependencies: 'development',
  peerDependencies: 'peer'
}

type NpmManifest = Record<string, unknown>

function fromNpm(text: string): PackageDefaults {
  const warnings: string[] = []
  let manifest: unknown
  try {
    manifest = JSON.parse(text)
  } catch (error) {
    return {
      description: {},
      warnings: [`${NPM_FILE} is not JSON and was not read: ${(error as Error).message}`]
    }
  }
  if (typeof manifest !== 'object' || manifest === null || Array.isArray(manifest))
    return { description: {}, warnings: [`${NPM_FILE} holds no object and was not read`] }
  const fields = manifest as NpmManifest
  const { dependencies, opaque } = dependenciesOf(fields, warnings)
  const description: Partial<ReleaseDescription> = {
    description: textOf(fields.description),
    keywords: keywordsOf(fields, warnings),
    licence: licenceOf(fields, warnings),
    authors: authorsOf(fields),
    links: linksOf(fields, warnings),
    entryPoint: entryPointOf(fields),
    dependencies,
    requirements: requirementsOf(fields),
    extensions: Object.keys(opaque).length > 0 ? { npmDependencies: opaque } : {}
  }
  return {
    ...(typeof fields.name === 'string' ? { name: fields.name } : {}),
    ...(typeof fields.version === 'string' ? { version: fields.version } : {}),
    description: withoutRefused(withoutEmpty(description), warnings),
    warnings
  }
}

/** What a release lacks at its own risk is never left out. */
const NEVER_LEFT_OUT = new Set(['dependencies', 'extensions'])

/** npm asks for no form of most fields; one that a record cannot hold is no reason to refuse the package. */
function withoutRefused(
  description: Partial<ReleaseDescription>,
  warnings: string[]
): Partial<ReleaseDescription> {
  return Object.fromEntries(
    Object.entries(description).filter(
      ([field, value]) => NEVER_LEFT_OUT.has(field) || isTaken({ [field]: value }, warnings)
    )
  )
}

function isTaken(fields: Partial<ReleaseDescription>, warnings: string[]): boolean {
  try {
    checkDescription(fields)
    return true
  } catch (error) {
    if (!(error instanceof CatalogError)) throw error
    warnings.push(`left out of what ${NPM_FILE} says: ${error.message}`)
    return false
  }
}

/** `./lib/` is a folder that Node looks into: `lib`. */
function entryPointOf(fields: NpmManifest): string | undefined {
  return textOf(fields.main)
    ?.replace(/^(?:\.\/+)+/, '')
    .replace(/\/+$/, '')
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined
}

function keywordsOf(fields: NpmManifest, warnings: string[]): string[] {
  const given = Array.isArray(fields.keywords) ? fields.keywords : []
  const keywords = [...new Set(given.map(textOf).filter(word => word !== undefined))]
  if (keywords.length > KEYWORDS_MAX)
    warnings.push(`only the first ${KEYWORDS_MAX} of ${keywords.length} keywords were taken over`)
  return keywords.slice(0, KEYWORDS_MAX)
}

/** npm's two ways to say that there is no SPDX licence. */
const NO_SPDX = /^(?:UNLICENSED|SEE LICEN[SC]E IN .*)$/i

function licenceOf(fields: NpmManifest, warnings: string[]): string | undefined {
  const licence = textOf(fields.license) ?? textOf((fields.license as NpmManifest | undefined)?.type)
  if (licence === undefined || !NO_SPDX.test(licence)) return licence
  warnings.push(`the licence ${JSON.stringify(licence)} is no SPDX expression and was left out`)
  return undefined
}

function authorsOf(fields: NpmManifest): string[] {
  const contributors = Array.isArray(fields.contributors) ? fields.contributors : []
  return [fields.author, ...contributors]
    .map(person => {
      if (typeof person === 'string') return textOf(person)
      const { name, email, url } = (person ?? {}) as NpmManifest
      const parts = [
        textOf(name),
        textOf(email) && `<${String(email).trim()}>`,
        textOf(url) && `(${String(url).trim()})`
      ]
      return textOf(parts.filter(part => part !== undefined).join(' '))
    })
    .filter(person => person !== undefined)
    .slice(0, AUTHORS_MAX)
}

/** npm's short ways to name a repository: `owner/name` is one of GitHub. */
const SHORT_REPOSITORY = /^(?:(github|gitlab|bitbucket):)?([\w.-]+\/[\w.-]+)$/
const REPOSITORY_HOSTS: Record<string, string> = {
  github: 'github.com',
  gitlab: 'gitlab.com',
  bitbucket: 'bitbucket.org'
}

function linksOf(fields: NpmManifest, warnings: string[]): Record<string, string> {
  const urlOf = (value: unknown): string | undefined => {
    const text = textOf(value) ?? textOf((value as NpmManifest | undefined)?.url)
    const [, host = 'github', path] = SHORT_REPOSITORY.exec(text ?? '') ?? []
    const url = path === undefined ? text : `https://${REPOSITORY_HOSTS[host]}/${path}`
    return url !== undefined && URL.canParse(url) ? url : undefined
  }
  const links: Record<string, string> = {}
  const homepage = urlOf(fields.homepage)
  const repository = urlOf(fields.repository)
  const issues = urlOf(fields.bugs)
  if (homepage !== undefined) links.homepage = homepage
  if (repository !== undefined) links.repository = repository
  if (issues !== undefined) links.issues = issues
  return Object.fromEntries(
    Object.entries(links).filter(([key, url]) => isTaken({ links: { [key]: url } }, warnings))
  )
}

interface NpmDependencies {
  dependencies: Dependency[]
  /** Those of npm that Catalog has no form for, as they stand, by kind: names with capitals, `file:`, git, aliases, tags. */
  opaque: Record<string, Record<string, string>>
}

function dependenciesOf(fields: NpmManifest, warnings: string[]): NpmDependencies {
  const dependencies: Dependency[] = []
  const opaque: NpmDependencies['opaque'] = {}
  for (const [field, kind] of Object.entries(NPM_DEPENDENCIES)) {
    const table = fields[field]
    if (typeof table !== 'object' || table === null) continue
    const others: Array<[name: string, range: string]> = []
    for (const [name, range] of Object.entries(table as NpmManifest)) {
      if (typeof range !== 'string')
        throw new CatalogError('INVALID_ARGUMENT', `${field} in ${NPM_FILE} has no text for ${name}`)
      if (isName(name) && isRange(range)) dependencies.push({ name, range, kind })
      else others.push([name, range])
    }
    if (others.length === 0) continue
    opaque[kind] = Object.fromEntries(others)
    for (const [name, range] of others)
      warnings.push(
        `the ${kind} dependency ${name}@${range} is no name with a range: it is recorded as npm's, and not resolved`
      )
  }
  return { dependencies, opaque }
}

function requirementsOf(fields: NpmManifest): Record<string, string> {
  const { engines } = fields
  if (typeof engines !== 'object' || engines === null) return {}
  return Object.fromEntries(
    Object.entries(engines).filter(([, range]) => typeof range === 'string')
  ) as Record<string, string>
}

/** A record has no empty fields. */
function withoutEmpty(description: Partial<ReleaseDescription>): Partial<ReleaseDescription> {
  return Object.fromEntries(
    Object.entries(description).filter(([, value]) => {
      if (value === undefined) return false
      return typeof value !== 'object' || Object.keys(value).length > 0
    })
  )
}
