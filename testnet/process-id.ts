/** Processes that another process may have started: named so that a number that is used again is not mistaken for them. */
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

export interface ProcessId {
  readonly pid: number
  /** When the system started it, in its own ticks. */
  readonly startTicks: string
}

export type ProcessState = 'running' | 'paused' | 'ended'

/** A killed process is gone within this, also on a machine that is very busy. */
const END_MS = 30_000
const POLL_MS = 10

/** Of a process that runs. */
export function processId(pid: number): ProcessId {
  const id = findProcess(pid)
  if (id === undefined) throw new Error(`process ${pid} has ended already`)
  return id
}

/** Of a process that may have ended: then undefined. */
export function findProcess(pid: number): ProcessId | undefined {
  const stat = readStat(pid)
  return stat === undefined ? undefined : { pid, startTicks: stat.startTicks }
}

export function stateOf({ pid, startTicks }: ProcessId): ProcessState {
  const stat = readStat(pid)
  // Nobody may be there to take notice of the end of what was started detached.
  if (stat === undefined || stat.startTicks !== startTicks || stat.state === 'Z' || stat.state === 'X')
    return 'ended'
  return stat.state === 'T' || stat.state === 't' ? 'paused' : 'running'
}

/** Whether it was there to get it. */
export function sendSignal(id: ProcessId, signal: NodeJS.Signals): boolean {
  if (stateOf(id) === 'ended') return false
  try {
    return process.kill(id.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false
    throw error
  }
}

/** Whether it has ended before the time or the signal. */
export async function untilEnded(id: ProcessId, limitMs: number, signal?: AbortSignal): Promise<boolean> {
  const endMs = performance.now() + limitMs
  while (stateOf(id) !== 'ended') {
    if (performance.now() > endMs) return false
    await wait(POLL_MS, undefined, { ...(signal && { signal }) })
  }
  return true
}

/** SIGKILL, and its end. */
export async function endProcess(id: ProcessId): Promise<void> {
  if (!sendSignal(id, 'SIGKILL')) return
  if (!(await untilEnded(id, END_MS))) throw new Error(`process ${id.pid} does not end`)
}

/** See proc(5): behind the name of the program, which is in parentheses and may have any characters in it. */
function readStat(pid: number): { state: string; startTicks: string } | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return { state: fields[0]!, startTicks: fields[19]! }
  } catch (error) {
    // ESRCH: it has ended between the opening and the reading.
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code!)) return undefined
    throw error
  }
}
