/** Programs that others use for the same work, timed on the same bytes in the same run. */
import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Files of one call: below the limit of a command line. */
const FILES_PER_CALL = 2_000

export const isInstalled = (command: string): boolean => spawnSync(command, ['--version']).error === undefined

/** Milliseconds that commands take, one after the other. Throws what a failing one said. */
const timed = (commands: string[][], env: Record<string, string> = {}): number => {
  const began = performance.now()
  for (const [command, ...args] of commands) {
    const { status, stderr } = spawnSync(command!, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env }
    })
    if (status !== 0) throw new Error(`${command}: ${stderr}`)
  }
  return performance.now() - began
}

export const filesOf = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))

export const sizeOf = (folder: string): number =>
  filesOf(folder).reduce((sum, path) => sum + statSync(path).size, 0)

/** SHA-256 of every file, with the CPU's own instructions (sha256sum of Debian does without). */
export const opensslMs = (folder: string): number => {
  const files = filesOf(folder)
  const calls: string[][] = []
  for (let at = 0; at < files.length; at += FILES_PER_CALL)
    calls.push(['openssl', 'dgst', '-sha256', ...files.slice(at, at + FILES_PER_CALL)])
  return timed(calls)
}

/** A copy of every file that is on disk at the end. */
export const copyMs = (folder: string, target: string): number => {
  const ms = timed([['cp', '-a', folder, target], ['sync']])
  rmSync(target, { recursive: true })
  return ms
}

/** It encrypts in any case, and older versions have no way to go without a password. */
const RESTIC_ENVIRONMENT = { RESTIC_PASSWORD: 'benchmark' }

/** A backup into a new repository without compression; undefined where the program is not installed. */
export const BACKUPS: Record<string, (folder: string, repository: string) => number | undefined> = {
  restic: (folder, repository) => {
    if (!isInstalled('restic')) return undefined
    const restic = ['restic', '-r', repository]
    // Only the second version of the format can compress, and leave it.
    timed([[...restic, 'init', '--repository-version', '2']], RESTIC_ENVIRONMENT)
    return timed([[...restic, 'backup', '--compression', 'off', folder]], RESTIC_ENVIRONMENT)
  },
  borg: (folder, repository) => {
    if (!isInstalled('borg')) return undefined
    timed([['borg', 'init', '-e', 'none', repository]])
    return timed([['borg', 'create', '-C', 'none', `${repository}::one`, folder]])
  }
}
