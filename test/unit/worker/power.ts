/** A home whose database forgets at a power cut what was not synced, as LevelDB may. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import { vi } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { type Level, LevelReader, openLevel } from '../../../library/database/level.ts'
import type { Database, WriteOperation } from '../../../library/database/types.ts'
import { WorkerHost } from '../../../library/worker/host.ts'

interface Batch {
  operations: WriteOperation[]
  sync: boolean
}

/** The worker's host in this thread, on a real LevelDB whose batches are noted as they are answered. */
export class PoweredHome {
  readonly home: string
  readonly host: WorkerHost
  /** Reads here, writes through the host: what the main thread gives to other parts. */
  readonly database: Database
  readonly #level: Level
  readonly #batches: Batch[]

  private constructor(home: string, level: Level, batches: Batch[]) {
    const settings = {
      databaseFolder: join(home, 'db'),
      segmentsFolder: join(home, 'segments'),
      quotaBytes: 0,
      compression: 'zstd' as const
    }
    this.home = home
    this.host = new WorkerHost({ log: silentLogger }, settings)
    this.#level = level
    this.#batches = batches
    const reader = new LevelReader(level)
    this.database = {
      get: key => reader.get(key),
      getMany: keys => reader.getMany(keys),
      iterate: (range, signal) => reader.iterate(range, signal),
      write: async (operations, { sync }) => {
        await this.host.handle('databaseWrite', { operations, sync }, new AbortController().signal)
      }
    }
  }

  static async open(survived: Batch[] = []): Promise<PoweredHome> {
    const home = await mkdtemp(join(tmpdir(), 'catalog-power-'))
    await mkdir(join(home, 'db'))
    const level = await openLevel(join(home, 'db'))
    for (const { operations } of survived) await level.batch(operations)
    const batches = [...survived]
    const original = ClassicLevel.prototype.batch as (operations: unknown, options: unknown) => Promise<void>
    vi.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(async function (
      this: ClassicLevel,
      ...[operations, options]: unknown[]
    ) {
      await original.call(this, operations, options)
      batches.push({
        operations: operations as WriteOperation[],
        sync: (options as { sync?: boolean }).sync === true
      })
    } as never)
    return new PoweredHome(home, level, batches)
  }

  /**
   * The power goes now: the home again with the batches up to the last synced one. Segments are kept whole; what is lost of
   * them is the subject of content/segments.test.ts.
   */
  async cutPower(): Promise<PoweredHome> {
    const survived = this.#batches.slice(0, this.#batches.findLastIndex(({ sync }) => sync) + 1)
    await this.close(false)
    const next = await PoweredHome.open(survived)
    await cp(join(this.home, 'segments'), join(next.home, 'segments'), { recursive: true }).catch(() => {})
    await rm(this.home, { recursive: true })
    return next
  }

  async close(remove = true): Promise<void> {
    await this.host.handle('close', undefined, new AbortController().signal)
    await this.#level.close()
    vi.restoreAllMocks()
    if (remove) await rm(this.home, { recursive: true })
  }
}
