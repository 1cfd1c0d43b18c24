/**
 * What follows from a damaged block. Blocks do not know which contents need them, and a mark of the `f/` family says
 * that a content has them all. So after a block was taken out of the index every marked content is walked once, at the lowest
 * urgency but one, and loses its mark when something of it is missing. That a walk is due stands in the database (`x`) from the
 * moment the block is given up, so that neither a kill nor the end of the worker forgets it.
 */
import { CID } from 'multiformats/cid'
import { type Logger, toCatalogError } from '../../base/index.ts'
import { checkPresent } from '../content/check.ts'
import type { BlockReader } from '../content/reader.ts'
import { DAMAGE_KEY } from '../content/segment-modules.ts'
import { KeyFamily, makeKey } from '../database/keys.ts'
import type { LevelWriter } from '../database/level.ts'
import type { Scheduler } from './scheduler.ts'

export interface DamageCheckModules {
  reader: BlockReader
  writer: LevelWriter
  scheduler: Scheduler
  log: Logger
}

export class DamageCheck {
  readonly #modules: DamageCheckModules
  readonly #stopping = new AbortController()
  #running: Promise<void> | undefined
  #isAgain = false

  constructor(modules: DamageCheckModules) {
    this.#modules = modules
  }

  /** Whether a walk is due. */
  get isDue(): boolean {
    return this.#modules.writer.get(DAMAGE_KEY) !== undefined
  }

  /** Walks all marked contents; again from the start when it is called meanwhile. Never rejects. */
  run(): Promise<void> {
    this.#isAgain = true
    this.#running ??= this.#walkAll().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  /** Ends a walk; the next worker begins it anew. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #walkAll(): Promise<void> {
    const { writer, log } = this.#modules
    const { signal } = this.#stopping
    try {
      while (this.#isAgain) {
        this.#isAgain = false
        const prefix = makeKey(KeyFamily.Complete)
        for await (const [key] of writer.iterate({ prefix }, signal))
          await this.#walk(key, CID.decode(key.subarray(prefix.byteLength)))
      }
      await writer.batch([{ type: 'del', key: DAMAGE_KEY }], { sync: false })
    } catch (thrown) {
      if (!signal.aborted) log.error({ err: thrown }, 'contents could not be checked after a damaged block')
    }
  }

  async #walk(key: Uint8Array, content: CID): Promise<void> {
    const { reader, writer, scheduler, log } = this.#modules
    const { signal } = this.#stopping
    try {
      await scheduler.run('index', slice => checkPresent(reader, content, slice, signal))
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code !== 'CONTENT_MISSING' && error.code !== 'CONTENT_CORRUPT') throw thrown
      const { id } = error.details as { id: string }
      // A fetch may have brought it meanwhile.
      if (reader.has(Buffer.from(id, 'hex'))) return await this.#walk(key, content)
      await writer.batch([{ type: 'del', key }], { sync: true })
      const fields = { content: content.toString(), ...error.details }
      log.warn(fields, 'a content is no longer complete; fetching or publishing it again repairs it')
    }
  }
}
