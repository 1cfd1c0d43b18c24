/**
 * Checks that only the publishing side makes. They ask lists and parsers that change from version to version (SPDX's
 * licences, npm's ranges), so they cannot decide whether a record that already exists is valid: two nodes would disagree.
 */
import parseSpdx from 'spdx-expression-parse'
import { CatalogError } from '../../base/index.ts'
import { quote } from '../names.ts'
import { isRange } from '../spec.ts'
import type { ReleaseDescription } from './types.ts'

function refuse(field: string, message: string, hint: string): never {
  throw new CatalogError('INVALID_ARGUMENT', message, { hint, details: { field } })
}

/** Throws INVALID_ARGUMENT with `details.field`. */
export function checkForPublish(release: Partial<ReleaseDescription>): void {
  if (release.licence !== undefined) checkLicence(release.licence)
  for (const [at, { name, range }] of (release.dependencies ?? []).entries()) {
    if (!isRange(range)) {
      refuse(
        `dependencies[${at}].range`,
        `${quote(range)} for ${name} is not a version range`,
        'use a range such as ^1.2.0 or >=1 <3'
      )
    }
  }
  for (const [key, url] of Object.entries(release.links ?? {})) {
    if (!URL.canParse(url))
      refuse(`links.${key}`, `${quote(url)} is not a URL`, 'give a whole URL with https://')
  }
}

function checkLicence(licence: string): void {
  try {
    parseSpdx(licence)
  } catch {
    refuse(
      'licence',
      `${quote(licence)} is not an SPDX expression`,
      'use identifiers of https://spdx.org/licenses, such as MIT or "Apache-2.0 OR MIT", or LicenseRef-NAME for your own'
    )
  }
}

/** What is wrong here is the caller's text, not somebody's record. */
export function asArgumentError(thrown: unknown): unknown {
  if (!(thrown instanceof CatalogError) || thrown.code !== 'RECORD_INVALID') return thrown
  return new CatalogError('INVALID_ARGUMENT', thrown.message, {
    ...(thrown.details === undefined ? {} : { details: thrown.details }),
    cause: thrown
  })
}
