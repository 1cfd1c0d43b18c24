import { type CatalogError, toCatalogError } from '../../../base/index.ts'

/** A failure of one source: another may do better. Every other error ends the whole fetch. */
export class SourceFailure extends Error {
  readonly reason: CatalogError

  constructor(reason: CatalogError) {
    super(reason.message, { cause: reason })
    this.reason = reason
  }
}

/** Marks failures of a source as such; aborts stay what they are. */
export async function ofSource<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work
  } catch (error) {
    signal.throwIfAborted()
    throw new SourceFailure(toCatalogError(error))
  }
}
