/**
 * A content store whose segments stand in memory and whose worker is this thread: the same parts as a library has, put
 * together without files for what is stored. Only the index is on the disk, as it is for every store.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { partMetrics, Signpost, silentLogger, systemClock } from '../../../base/index.ts'
import { LocalContentStore } from '../../../library/content/store.ts'
import { LevelReader, openLevel } from '../../../library/database/level.ts'
import type { WorkerPort } from '../../../library/worker/client.ts'
import { WorkerHost } from '../../../library/worker/host.ts'
import { testCompanion } from '../../library.ts'
import type { MemorySegments } from './memory-segments.ts'

export interface OpenedStore {
  content: LocalContentStore
  close(): Promise<void>
}

/** Opens it, again with what was stored before when it is given the same folder and segments. */
export async function openMemoryStore(
  folder: string,
  segments: MemorySegments,
  { quotaBytes = 0 }: { quotaBytes?: number } = {}
): Promise<OpenedStore> {
  const databaseFolder = join(folder, 'db')
  await mkdir(databaseFolder, { recursive: true })
  const level = await openLevel(databaseFolder)
  const committed = new Signpost()
  const host = new WorkerHost(
    {
      log: silentLogger,
      openBackend: async () => segments,
      onCommitted: () => committed.show(),
      companion: testCompanion
    },
    {
      home: folder,
      databaseFolder,
      segmentsFolder: join(folder, 'segments'),
      quotaBytes,
      compression: 'zstd'
    }
  )
  const worker: WorkerPort = {
    committed,
    hold: () => () => {},
    request: async (method, parameters, { signal = new AbortController().signal } = {}) => {
      signal.throwIfAborted()
      return await host.handle(method, parameters, signal)
    }
  }
  const content = new LocalContentStore({
    database: new LevelReader(level),
    worker,
    reads: segments,
    bucket: undefined,
    clock: systemClock,
    log: silentLogger,
    metrics: partMetrics(undefined, 'library')
  })
  return {
    content,
    close: async () => {
      await content.settle()
      await worker.request('close', undefined)
      await level.close()
    }
  }
}
