import { CatalogError } from './errors.ts'

/** Throws INTERNAL when something the code holds to be impossible is so; `message` says what was expected. */
export function assertInvariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new CatalogError('INTERNAL', `invariant broken: ${message}`)
}

/** Throws INTERNAL unless `value` is a whole number of at least `min`: the check of every limit a constructor takes. */
export function assertWholeNumber(value: number, min: number, name: string): void {
  assertInvariant(
    Number.isSafeInteger(value) && value >= min,
    `${name} is a whole number >= ${min}, not ${value}`
  )
}
