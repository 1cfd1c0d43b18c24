/**
 * The real command line as processes, and what an error of it must look like: in text one line on stderr, with --json one
 * document on stdout, both with the same code, message and hint, and the exit status that the code has.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, inject } from 'vitest'
import { ERROR_CODES, type ErrorCode } from '../../../base/index.ts'
import type { Ended, ErrorDocument, TestDaemon } from '../support.ts'

export interface CliOptions {
  /** Left out of the command line when undefined. */
  home?: string | undefined
  env?: Record<string, string>
  cwd?: string
  /** Runs as this user and group. */
  uid?: number
}

export interface RunningCli {
  readonly process: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts a command; standard input is empty. */
export function startCli(args: readonly string[], options: CliOptions = {}): RunningCli {
  const { home, env = {}, cwd, uid } = options
  const argv = [inject('program'), ...args, ...(home === undefined ? [] : ['--home', home])]
  const child = spawn(process.execPath, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid, gid: uid })
  })
  const stdout = text(child.stdout)
  const stderr = text(child.stderr)
  const ended = once(child, 'close').then(async ([code, signal]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
    stdout: await stdout,
    stderr: await stderr
  }))
  return { process: child, ended }
}

export async function runCli(args: readonly string[], options: CliOptions = {}): Promise<Ended> {
  return await startCli(args, options).ended
}

/** A command that must succeed, with or without warnings; its JSON. */
export async function cliOk(args: readonly string[], options: CliOptions = {}): Promise<unknown> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], options)
  expect({ code, stdout, stderr }).toMatchObject({ code: 0 })
  return JSON.parse(stdout)
}

/** The same at a daemon. */
export const at = (daemon: Pick<TestDaemon, 'home'>, ...args: string[]): Promise<unknown> =>
  cliOk(args, { home: daemon.home.root })

/** What an error must say. */
export interface Refusal {
  code: ErrorCode
  /** Each must stand in the message. */
  names: Array<string | RegExp>
  /** Must stand in the hint. */
  hint?: string | RegExp
  /** Where a signal gives another exit status than the code. */
  exit?: number
}

/** Runs a command that must fail so, once with --json and then once in text; returns the error. */
export async function expectRefusal(
  args: readonly string[],
  refusal: Refusal,
  options: CliOptions = {}
): Promise<ErrorDocument> {
  const error = expectJsonRefusal(await runCli([...args, '--json'], options), refusal)
  expectTextRefusal(await runCli(args, options), refusal)
  return error
}

/** How a command with --json that failed has ended. */
export function expectJsonRefusal({ code, stdout, stderr }: Ended, refusal: Refusal): ErrorDocument {
  expect(stderr, 'nothing beside the document').toBe('')
  expect(stdout.trimEnd().split('\n'), 'exactly one document').toHaveLength(1)
  const { error } = JSON.parse(stdout) as { error: ErrorDocument }
  expect(error).toMatchObject({ code: refusal.code })
  expect(code).toBe(refusal.exit ?? ERROR_CODES[refusal.code].exit)
  for (const name of refusal.names) expect(error.message).toMatch(name)
  expect(error.hint).not.toBe('')
  if (refusal.hint !== undefined) expect(error.hint).toMatch(refusal.hint)
  return error
}

/** How a command without --json that failed has ended. */
export function expectTextRefusal({ code, stdout, stderr }: Ended, refusal: Refusal): void {
  expect(stdout).toBe('')
  const lines = stderr.trimEnd().split('\n')
  expect(lines, 'one line').toHaveLength(1)
  expect(lines[0]).toMatch(new RegExp(`^catalog: ${refusal.code}: .+; .+`))
  expect(code).toBe(refusal.exit ?? ERROR_CODES[refusal.code].exit)
  for (const name of [...refusal.names, refusal.hint ?? '']) expect(lines[0]).toMatch(name)
}
