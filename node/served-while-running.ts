import type { Registry } from '../library/index.ts'
import type { Lifecycle } from './lifecycle.ts'
import type { Blocking } from './services/blocking.ts'

/** What peers may read: nothing while the node is paused, when they are told that it is busy, and never what is blocked here. */
export function servedWhileRunning(
  registry: Registry,
  { lifecycle, blocking }: { lifecycle: Lifecycle; blocking: Pick<Blocking, 'isBlocked' | 'blockOf'> }
): Pick<Registry, 'stored' | 'storedPage'> {
  const check = (): void => lifecycle.require(['initializing', 'running'], 'serve')
  return {
    async stored(id, signal) {
      check()
      const stored = await registry.stored(id, signal)
      // Only of what is for everybody: what is not must take no longer than what is not here.
      const record = stored === undefined ? undefined : registry.get(id)
      return record !== undefined && blocking.isBlocked(record) ? undefined : stored
    },
    async storedPage(query, signal) {
      check()
      return await registry.storedPage(
        { ...query, isHidden: entry => blocking.blockOf(entry) !== undefined },
        signal
      )
    }
  }
}
