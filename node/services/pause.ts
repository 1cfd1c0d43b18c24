import type { Lifecycle } from '../lifecycle.ts'
import type { PauseService } from './types.ts'

/** A part that can be told to stop serving and working in the background, and to go on. */
export interface Pausable {
  pause(): void | Promise<void>
  resume(): void | Promise<void>
}

/** Pauses the parts in the order given and resumes them in reverse. The state changes first: it refuses new work. */
export function createPause(modules: { lifecycle: Lifecycle; parts: readonly Pausable[] }): PauseService {
  const { lifecycle, parts } = modules
  return {
    async pause() {
      lifecycle.transition('paused', 'requested')
      for (const part of parts) await part.pause()
    },
    async resume() {
      lifecycle.require(['paused'], 'resume')
      for (const part of parts.toReversed()) await part.resume()
      lifecycle.transition('running', 'requested')
    }
  }
}
