/** A kill while a release is installed over an earlier version of it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import { MIB } from '../../../base/index.ts'
import { compareFolders } from '../../../scripts/quickstart/compare.ts'
import { randomFiles, writeFiles } from './content.ts'
import type { CrashStage, Outcome, Round } from './crash-stage.ts'

const NAME = 'installed'
const SIZE_BYTES = 8 * MIB
const FILES = 60
/** A commit takes a few milliseconds from the moment its journal stands. */
const COMMIT_MS = 4
/** So many of the kills of a command wait for its journal: a commit is too short to be hit by chance. */
const AIMED_SHARE = 0.4

/** The folder that all rounds install into, one version after the other. */
export class CrashInstalls {
  readonly #stage: CrashStage
  readonly #target: string
  /** Source of the version that is installed; undefined before the first. */
  #current: { version: string; folder: string } | undefined

  constructor(stage: CrashStage) {
    this.#stage = stage
    this.#target = stage.path('target')
  }

  /**
   * Installs the next version and kills the command or the daemon that streams to it. The package is the old or the new one;
   * the next install succeeds and leaves nothing behind.
   */
  async crash(round: Round): Promise<Outcome> {
    const { publisher, consumer } = this.#stage
    const { random, victim } = round
    const version = `1.0.${round.number}`
    const folder = this.#stage.path(`version-${round.number}`)
    const files = randomFiles(random, SIZE_BYTES, FILES)
    await mkdir(join(this.#target, '.catalog'), { recursive: true })
    await writeFiles(folder, files)
    await publisher.daemon.publish({ name: NAME, version, files })
    const install = ['install', `${NAME}@${version}`, '--to', this.#target]

    const command = consumer.command(...install)
    if (victim === 'command' && random.fraction() < AIMED_SHARE)
      await Promise.race([this.#untilCommit(random.fraction() * COMMIT_MS), command.ended])
    else await this.#stage.untilKill('install', files, random, this.#stage.commandMs)
    if (victim === 'command') command.process.kill('SIGKILL')
    else await consumer.kill()
    const { code } = await command.ended
    await this.#expectOldOrNew({ version, folder }, code === 0)
    if (victim === 'consumer') await this.#stage.restart(consumer)

    const again = await consumer.run(...install)
    expect(again.error, 'installing again').toBeUndefined()
    expect(again.code).toBe(0)
    expect(await this.#differsFrom(folder), 'the new version is installed').toEqual([])
    expect(this.#locked()).toBe(version)
    expect(readdirSync(join(this.#target, '.catalog')), 'no leftovers').toEqual(['installed.json'])
    if (this.#current !== undefined) await rm(this.#current.folder, { recursive: true })
    this.#current = { version, folder }
    return code === 0 ? 'acknowledged' : 'interrupted'
  }

  async #untilCommit(moreMs: number): Promise<void> {
    const journal = join(this.#target, '.catalog', 'journal.json')
    while (!existsSync(journal)) await delay(0)
    this.#stage.killedAfterMs = Number.NaN
    await delay(moreMs)
  }

  async #expectOldOrNew(next: { version: string; folder: string }, isAcknowledged: boolean): Promise<void> {
    if (isAcknowledged) {
      expect(await this.#differsFrom(next.folder), 'what was acknowledged is there').toEqual([])
      return
    }
    const isBetween = existsSync(join(this.#target, '.catalog', 'journal.json'))
    if (!existsSync(join(this.#target, NAME))) {
      // Before the first version, or in the microseconds between two renames, which the journal tells the next install.
      expect(this.#current === undefined || isBetween, 'the package is there').toBe(true)
      return
    }
    const fromNew = await this.#differsFrom(next.folder)
    const fromOld = this.#current === undefined ? ['nothing'] : await this.#differsFrom(this.#current.folder)
    expect([fromNew.length, fromOld.length], `old or new: ${fromNew} / ${fromOld}`).toContain(0)
    if (!isBetween)
      expect(this.#locked(), 'the lock says what is there').toBe(
        fromNew.length === 0 ? next.version : this.#current!.version
      )
  }

  async #differsFrom(folder: string): Promise<string[]> {
    return (await compareFolders(folder, join(this.#target, NAME))).differences
  }

  #locked(): string {
    const lock = JSON.parse(readFileSync(join(this.#target, 'catalog-lock.json'), 'utf8'))
    return lock.packages[NAME].version
  }
}
