/**
 * The program as users run it: bundled, from the sources as they are now, in a folder of its own below node_modules/, where its
 * native addons are found and nobody else builds.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import type { ErrorDocument } from '../../daemon/support.ts'

const ROOT = resolve(import.meta.dirname, '..', '..', '..')
const KILLABLE_WORKER = join(import.meta.dirname, 'killable-worker.child.ts')

/** A command under way. */
export interface Command {
  readonly process: ChildProcess
  readonly ended: Promise<CommandEnd>
}

export interface CommandEnd {
  code: number | null
  signal: NodeJS.Signals | null
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
  json: any
  error: ErrorDocument | undefined
  stderr: string
  tookMs: number
}

export class Program {
  readonly #folder: string

  static build(): Program {
    const folder = join(ROOT, 'node_modules', '.cache', `catalog-net-${process.pid}`)
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts', 'bundle.ts'), folder])
    if (status !== 0) throw new Error(`the program was not built: ${stderr}`)
    if (!existsSync(join(folder, 'daemon.codecache')))
      throw new Error(`no code cache was recorded: ${stderr}`)
    return new Program(folder)
  }

  private constructor(folder: string) {
    this.#folder = folder
  }

  /** A daemon whose worker ends at SIGUSR2 (killable-worker.child.ts). */
  spawnDaemon(args: readonly string[]): ChildProcess {
    return this.#spawn(['--import', KILLABLE_WORKER], ['daemon', ...args, '--json'])
  }

  /** Runs a command with `--json`. */
  run(args: readonly string[]): Command {
    const startedMs = performance.now()
    const child = this.#spawn([], [...args, '--json'])
    const stdout = text(child.stdout!)
    const stderr = text(child.stderr!)
    const ended = once(child, 'close').then(async ([code, signal]) => {
      const said = await stdout
      const json = said === '' ? undefined : JSON.parse(said)
      const tookMs = performance.now() - startedMs
      return { code, signal, json, error: json?.error, stderr: await stderr, tookMs }
    })
    return { process: child, ended }
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #spawn(nodeArgs: readonly string[], args: readonly string[]): ChildProcess {
    const argv = [...nodeArgs, join(this.#folder, 'catalog.cjs'), ...args]
    return spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
  }
}
