import { Semaphore } from '../../base/index.ts'
import type { Lifecycle } from '../lifecycle.ts'
import type { PauseService } from './types.ts'

/** A part that can be told to stop serving and working in the background, and to go on. */
export interface Pausable {
  pause(): void | Promise<void>
  resume(): void | Promise<void>
}

/** Requests to pause and resume that wait for the one before; nobody has use for more. */
const MAX_WAITING = 16

/**
 * Pauses the parts in the order given and resumes them in reverse. The state changes first: it refuses new work. One request
 * runs at a time; when a part fails, those before it are put back, and the node is in the state it was in.
 */
export function createPause(modules: { lifecycle: Lifecycle; parts: readonly Pausable[] }): PauseService {
  const { lifecycle, parts } = modules
  const turns = new Semaphore({ name: 'pause and resume', maxActive: 1, maxWaiting: MAX_WAITING })
  const reversed = parts.toReversed()

  async function pause(): Promise<void> {
    lifecycle.transition('paused', 'requested')
    try {
      await allOrNone(parts, 'pause', 'resume')
    } catch (error) {
      if (lifecycle.state === 'paused') lifecycle.transition('running', 'a part could not be paused')
      throw error
    }
  }

  async function resume(): Promise<void> {
    lifecycle.require(['paused'], 'resume')
    await allOrNone(reversed, 'resume', 'pause')
    lifecycle.transition('running', 'requested')
  }

  return { pause: () => turns.run(pause), resume: () => turns.run(resume) }
}

async function allOrNone(
  parts: readonly Pausable[],
  action: keyof Pausable,
  opposite: keyof Pausable
): Promise<void> {
  const done: Pausable[] = []
  try {
    for (const part of parts) {
      await part[action]()
      done.unshift(part)
    }
  } catch (error) {
    for (const part of done) await part[opposite]()
    throw error
  }
}
