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
      const record = registry.get(id)
      if (record !== undefined && blocking.isBlocked(record)) return undefined
      return await registry.stored(id, signal)
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
