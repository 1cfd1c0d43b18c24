/**
 * Validation of requests by their typebox schemas. fastify's own validator and serialiser (ajv, fast-json-stringify)
 * would cost 5 MB of memory each; typebox checks the same schemas.
 */
import * as Type from 'typebox'
import { Compile } from 'typebox/schema'
import { CatalogError } from '../../base/index.ts'

export type RequestPart = 'params' | 'query' | 'body'

interface Problem {
  readonly keyword: string
  readonly instancePath: string
  readonly params: object
  readonly message: string
}

/** Problems named in one error: the first ones suffice to correct the request. */
const MAX_PROBLEMS = 5

/**
 * Makes the check of one part of a request; compiled at its first use, as most routes are never asked. It returns the
 * value to use: text of query and path turned into numbers and booleans where the schema wants them. Throws
 * INVALID_ARGUMENT (details: part, problems).
 */
export function createValidator(part: RequestPart, schema: Type.TSchema): (value: unknown) => unknown {
  const coerce = part === 'body' ? (value: unknown): unknown => value : coercion(schema)
  let compiled: ReturnType<typeof Compile> | undefined
  return value => {
    compiled ??= Compile(schema)
    const typed = coerce(value ?? {})
    if (compiled.Check(typed)) return typed
    const [, errors] = compiled.Errors(typed)
    const problems = errors.slice(0, MAX_PROBLEMS).map(error => problemOf(part, error))
    throw new CatalogError('INVALID_ARGUMENT', problems.join('; '), { details: { part, problems } })
  }
}

/** In words for who typed a command, too: what is empty or too long has most often come from there. */
function problemOf(part: RequestPart, { keyword, instancePath, params, message }: Problem): string {
  const { limit } = params as { limit?: number }
  const field = instancePath.slice(1).replaceAll('/', '.')
  if (field === '') return `the request's ${part} ${message}`
  if (keyword === 'minLength' && limit === 1) return `${field} is empty`
  if (keyword === 'maxLength') return `${field} has more than ${limit} characters`
  return `${field} of the request's ${part} ${message}`
}

/** Text becomes what the property's schema says, where it has the exact form; else it stays and fails the check. */
function coercion(schema: Type.TSchema): (value: unknown) => unknown {
  const properties = Type.IsObject(schema) ? schema.properties : {}
  return value => {
    const typed: Record<string, unknown> = { ...(value as Record<string, unknown>) }
    for (const [name, property] of Object.entries(properties)) {
      const text = typed[name]
      if (typeof text !== 'string') continue
      if (Type.IsInteger(property) && /^-?[0-9]{1,15}$/.test(text)) typed[name] = Number(text)
      if (Type.IsBoolean(property) && (text === 'true' || text === 'false')) typed[name] = text === 'true'
    }
    return typed
  }
}
