import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { run } from '../../../../cli/index.ts'

export interface CliResult {
  status: number
  stdout: string
  stderr: string
  /** The one JSON document on stdout; throws when there is not exactly one. */
  json(): Record<string, unknown>
}

export interface CliOptions {
  home?: string
  cwd?: string
  env?: NodeJS.ProcessEnv
  platform?: NodeJS.Platform
  signal?: AbortSignal
  isTTY?: boolean
  /** Hears of everything on stdout so far. */
  onOutput?: (stdout: string) => void
}

/** Runs a command line in this process. */
export async function cli(argv: string[], options: CliOptions = {}): Promise<CliResult> {
  let stdout = ''
  let stderr = ''
  const { home, cwd = os.tmpdir(), env = {}, platform = 'linux', isTTY = false } = options
  const status = await run(
    argv,
    {
      stdout: {
        write: text => {
          stdout += text
          options.onOutput?.(stdout)
        },
        isTTY,
        columns: 100
      },
      stderr: {
        write: text => {
          stderr += text
        },
        isTTY,
        columns: 100
      },
      env: { HOME: '/nonexistent', ...(home === undefined ? {} : { CATALOG_HOME: home }), ...env },
      platform,
      cwd
    },
    options.signal ?? new AbortController().signal
  )
  return {
    status,
    stdout,
    stderr,
    json: () => {
      const lines = stdout.trimEnd().split('\n')
      if (lines.length !== 1) throw new Error(`stdout has ${lines.length} lines: ${stdout}`)
      return JSON.parse(lines[0] ?? '') as Record<string, unknown>
    }
  }
}

/** A fresh folder and what removes it. */
export function temporaryFolder(): { folder: string; remove(): void } {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'cli-'))
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
