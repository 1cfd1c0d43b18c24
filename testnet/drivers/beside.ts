import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { SECOND_MS } from '../../base/index.ts'
import type { BesideProcess } from './driver.ts'

/** What a process beside a node may take to clean up. */
export const LAST_WORDS_MS = 2 * SECOND_MS

/** `node` as the first word is the Node that runs the testnet. */
export const onThisMachine = (command: readonly string[]): readonly string[] =>
  command[0] === 'node' ? [process.execPath, ...command.slice(1)] : command

/** Of a process of this machine whose standard input and output are pipes. */
export async function besideOf(child: ChildProcess): Promise<BesideProcess> {
  await once(child, 'spawn')
  const ended = once(child, 'close')
  // It may have ended by itself when something is written to it.
  child.stdin!.on('error', () => undefined)
  return {
    lines: createInterface({ input: child.stdout! }),
    write: line => void child.stdin!.write(`${line}\n`),
    async end() {
      child.kill('SIGTERM')
      const late = setTimeout(() => child.kill('SIGKILL'), LAST_WORDS_MS)
      await ended
      clearTimeout(late)
    }
  }
}
