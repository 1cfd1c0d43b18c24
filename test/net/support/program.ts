/** The program as users run it, for tests that end its processes and its worker at any time. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import type { ErrorDocument } from '../../daemon/support.ts'

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

/** A daemon whose worker ends at SIGUSR2 (killable-worker.child.ts). */
export function spawnDaemon(args: readonly string[]): ChildProcess {
  return spawnProgram(['--import', KILLABLE_WORKER], ['daemon', ...args, '--json'])
}

/** Runs a command with `--json`. */
export function runCommand(args: readonly string[]): Command {
  const startedMs = performance.now()
  const child = spawnProgram([], [...args, '--json'])
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

function spawnProgram(nodeArgs: readonly string[], args: readonly string[]): ChildProcess {
  const argv = [...nodeArgs, inject('program'), ...args]
  return spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
}
