/** What the main thread has of sync: it reads the database itself, and asks the worker for what is heavy or writes. */
import type { DatabaseReader, Library } from '../library/index.ts'
import type { SyncMethod, SyncMethods } from './types.ts'

export async function askWorker<M extends SyncMethod>(
  library: Pick<Library, 'companion'>,
  method: M,
  parameters: SyncMethods[M][0],
  signal?: AbortSignal
): Promise<SyncMethods[M][1]> {
  return (await library.companion(method, parameters, signal)) as SyncMethods[M][1]
}

/** Reads one state of the database, whatever the worker writes meanwhile. */
export async function reading<T>(
  library: Pick<Library, 'snapshot'>,
  read: (reader: DatabaseReader) => Promise<T>
): Promise<T> {
  const snapshot = library.snapshot()
  try {
    return await read(snapshot)
  } finally {
    await snapshot.close()
  }
}
