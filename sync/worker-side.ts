import type { DatabaseReader, Library } from '../library/index.ts'
import type { SyncMethod, SyncMethods } from './types.ts'

/** What the main thread has of sync: it reads the database itself, and asks the worker for what is heavy or writes. */
export class WorkerSide {
  readonly #library: Pick<Library, 'snapshot' | 'companion'>

  constructor(library: Pick<Library, 'snapshot' | 'companion'>) {
    this.#library = library
  }

  async ask<M extends SyncMethod>(
    method: M,
    parameters: SyncMethods[M][0],
    signal?: AbortSignal
  ): Promise<SyncMethods[M][1]> {
    return (await this.#library.companion(method, parameters, signal)) as SyncMethods[M][1]
  }

  /** Reads one state of the database, whatever the worker writes meanwhile. */
  async reading<T>(read: (reader: DatabaseReader) => Promise<T>): Promise<T> {
    const snapshot = this.#library.snapshot()
    try {
      return await read(snapshot)
    } finally {
      await snapshot.close()
    }
  }
}
