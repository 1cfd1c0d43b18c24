/** Opens database and segments for the worker, and puts together what works on them. */
import type { Logger, Semaphore } from '../../base/index.ts'
import { BucketOwner, openBucket } from '../content/bucket.ts'
import { BucketSegments, type BucketSegmentsModules } from '../content/bucket-segments.ts'
import { nodeDisk } from '../content/disk.ts'
import { LocalSegments } from '../content/local-segments.ts'
import { BlockReader } from '../content/reader.ts'
import type { BlockLocation } from '../content/record.ts'
import type { SegmentBackend } from '../content/segment-backend.ts'
import { SegmentFiles } from '../content/segment-files.ts'
import type { BlockIndex } from '../content/segment-modules.ts'
import { SegmentStore } from '../content/segments.ts'
import type { BlockId } from '../content/types.ts'
import { ChangeMarks } from '../database/change-marks.ts'
import { type Level, LevelWriter, openLevel } from '../database/level.ts'
import { Commits } from './commits.ts'
import type { CompanionFactory, WorkerCompanion } from './companion.ts'
import { Completion } from './completion.ts'
import { DamageCheck } from './damage.ts'
import { Keeping } from './keeping.ts'
import type { WorkerSettings } from './protocol.ts'
import type { Scheduler } from './scheduler.ts'

export interface OpenModules {
  log: Logger
  /** Where segments stand; in files, or the bucket of the settings, unless given. */
  openBackend?: (index: BlockIndex) => Promise<SegmentBackend>
  /** Told whenever blocks have been committed. */
  onCommitted?: () => void
  scheduler: Scheduler
  /** One change of rows at a time. */
  writes: Semaphore
  companion: CompanionFactory
}

export interface Opened {
  writer: LevelWriter
  segments: SegmentStore
  reader: BlockReader
  damage: DamageCheck
  completion: Completion
  keeping: Keeping
  companion: WorkerCompanion
  commits: Commits
  /** Undefined when no bucket is configured. */
  bucket: BucketSegments | undefined
  /** Resolves when the corrupt blocks found so far are out of the index. */
  givenUp(): Promise<void>
  close(): Promise<void>
}

export async function openAll(modules: OpenModules, settings: WorkerSettings): Promise<Opened> {
  const level = await openLevel(settings.databaseFolder)
  try {
    return await openOn(level, modules, settings)
  } catch (thrown) {
    await level.close()
    throw thrown
  }
}

async function openOn(level: Level, modules: OpenModules, settings: WorkerSettings): Promise<Opened> {
  const { log, scheduler, writes } = modules
  const marks = new ChangeMarks(settings.changeMarks)
  // The thread before may have died in a write.
  marks.settle()
  const writer = new LevelWriter(level, { marks })
  const { openBackend = index => openConfigured({ index, log }, settings), onCommitted } = modules
  const backend = await openBackend(writer)
  const bucket = backend instanceof BucketSegments ? backend : undefined
  const segments = await SegmentStore.open(
    { backend, index: writer, log, ...(onCommitted && { onCommitted }) },
    { quotaBytes: settings.quotaBytes }
  )
  const givingUp = new Set<Promise<void>>()
  const onCorrupt = (id: BlockId, location: BlockLocation): void => {
    const going = giveUp(id, location).finally(() => givingUp.delete(going))
    givingUp.add(going)
  }
  const reader = new BlockReader({ index: writer, files: backend, log, onCorrupt })
  const damage = new DamageCheck({ reader, writer, scheduler, log })
  async function giveUp(id: BlockId, location: BlockLocation): Promise<void> {
    try {
      await segments.forget(id, location)
      void damage.run()
    } catch (err) {
      log.error({ err }, 'a corrupt block stays in the index')
    }
  }
  if (damage.isDue) void damage.run()
  const companion = await modules.companion({ database: writer, writes, scheduler, log }, settings)
  const commits = new Commits({ writer, writes, companion })
  const keeping = new Keeping({ writer, segments, reader, backend, scheduler, writes, commits, log })
  const commit: Keeping['mark'] = (content, summary, nowMs) => keeping.mark(content, summary, nowMs)
  const completion = new Completion({ reader, writer, segments, damage, scheduler, commit })
  const givenUp = async (): Promise<void> => void (await Promise.allSettled(givingUp))
  const close = async (): Promise<void> => {
    await givenUp()
    await damage.stop()
    await segments.close()
    await level.close()
  }
  return { writer, segments, reader, damage, completion, keeping, companion, commits, bucket, givenUp, close }
}

async function openConfigured(
  modules: Pick<BucketSegmentsModules, 'index' | 'log'>,
  { segmentsFolder, bucket: settings }: WorkerSettings
): Promise<SegmentBackend> {
  const reads = new SegmentFiles(segmentsFolder)
  const local = new LocalSegments({ disk: nodeDisk, reads }, segmentsFolder)
  if (settings === undefined) return local
  const bucket = await openBucket(settings)
  const owner = new BucketOwner(bucket, settings.storeId)
  return new BucketSegments({ ...modules, local, bucket, owner }, settings)
}
