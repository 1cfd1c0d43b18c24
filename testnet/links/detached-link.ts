/**
 * A link program that outlives the process that started it: its standard input and output are named pipes in a folder, which it
 * holds open in both directions itself, so that nobody's end is their end. It ends by its process id, which stands beside them.
 */
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, existsSync, openSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { endProcess, type ProcessId, processId } from '../process-id.ts'
import { compileLink } from './compile.ts'

/** What a link is commanded through. */
export interface Channel {
  readonly lines: AsyncIterator<string>
  write(line: string): void
  /** Ends the program, and waits for its end. */
  end(): Promise<void>
  /** Lets go of it; the program goes on when it is detached. */
  release(): void
}

/** Opened so, a pipe is there whether or not another process has it open, and is never waited for. */
const BOTH_WAYS = constants.O_RDWR | constants.O_NONBLOCK
const PID = '.pid'

const pathsOf = (folder: string, device: string): { commands: string; answers: string } => ({
  commands: join(folder, `${device}.in`),
  answers: join(folder, `${device}.out`)
})

/** Starts the program with pipes of the device's name. The folder is there. */
export function startDetached(folder: string, device: string, args: readonly string[]): Channel {
  const { commands, answers } = pathsOf(folder, device)
  for (const path of [commands, answers]) {
    const { status, stderr } = spawnSync('mkfifo', ['-m', '600', path])
    if (status !== 0) throw new Error(`mkfifo ${path}: ${stderr}`)
  }
  // Blocking for the program: it reads its commands and waits for them.
  const [input, output] = [openSync(commands, 'r+'), openSync(answers, 'r+')]
  const program = spawn(compileLink(), args, { stdio: [input, output, 'inherit'], detached: true })
  program.unref()
  closeSync(input)
  closeSync(output)
  writeFileSync(join(folder, `${device}${PID}`), JSON.stringify(processId(program.pid!)))
  return attachTo(folder, device)
}

/** Commands the program that was started so. */
export function attachTo(folder: string, device: string): Channel {
  const { commands, answers } = pathsOf(folder, device)
  const input = new Socket({ fd: openSync(commands, BOTH_WAYS), readable: false, writable: true })
  const output = new Socket({ fd: openSync(answers, BOTH_WAYS), readable: true, writable: false })
  const release = (): void => {
    input.destroy()
    output.destroy()
  }
  return {
    lines: createInterface({ input: output })[Symbol.asyncIterator](),
    write: line => input.write(`${line}\n`),
    async end() {
      release()
      await endProcess(readPid(folder, device))
    },
    release
  }
}

/** Ends all programs whose pipes are in a folder. */
export async function endDetached(folder: string): Promise<void> {
  const names = existsSync(folder) ? readdirSync(folder) : []
  const devices = names.filter(name => name.endsWith(PID)).map(name => name.slice(0, -PID.length))
  await Promise.all(devices.map(device => endProcess(readPid(folder, device))))
}

const readPid = (folder: string, device: string): ProcessId =>
  JSON.parse(readFileSync(join(folder, `${device}${PID}`), 'utf8'))
