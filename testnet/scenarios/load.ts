/** Scenarios of one's own: a file in TypeScript or JavaScript, whose default export is one. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { CatalogError, toCatalogError } from '../../base/index.ts'
import type { Scenario } from './scenario.ts'

/** Whether a word of the command line is a file rather than the name of a shipped scenario. */
export const isScenarioFile = (word: string): boolean => /[/\\]|\.[cm]?[jt]s$/.test(word)

/** NOT_FOUND when there is no such file; INVALID_ARGUMENT when it cannot be run, or has no scenario to give. */
export async function loadScenario(file: string): Promise<Scenario> {
  const path = resolve(file)
  if (!existsSync(path))
    throw new CatalogError('NOT_FOUND', `there is no file ${path}`, { hint: 'check the path' })
  const module = await import(pathToFileURL(path).href).catch(thrown => {
    throw new CatalogError('INVALID_ARGUMENT', `${path} cannot be run: ${toCatalogError(thrown).message}`, {
      cause: thrown
    })
  })
  if (isScenario(module.default)) return module.default
  throw new CatalogError('INVALID_ARGUMENT', `${path} exports no scenario`, {
    hint: 'let its default export have a name of small letters, digits and hyphens, a description, a size and steps: docs/testnet.md, "Writing one"'
  })
}

/** Reports are files of that name. */
const NAME = /^[a-z0-9][a-z0-9-]{0,63}$/

function isScenario(value: unknown): value is Scenario {
  const { name, description, size, steps } = (value ?? {}) as Partial<Scenario>
  return (
    typeof name === 'string' &&
    NAME.test(name) &&
    typeof description === 'string' &&
    Array.isArray(size?.regions) &&
    typeof size.counts === 'object' &&
    typeof steps === 'function'
  )
}
