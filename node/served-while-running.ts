import type { Registry } from '../library/index.ts'
import type { Lifecycle } from './lifecycle.ts'

/** What peers may read: nothing while the node is paused. They are told that it is busy. */
export function servedWhileRunning(
  registry: Registry,
  lifecycle: Lifecycle
): Pick<Registry, 'stored' | 'storedPage'> {
  const check = (): void => lifecycle.require(['initializing', 'running'], 'serve')
  return {
    async stored(id, signal) {
      check()
      return await registry.stored(id, signal)
    },
    async storedPage(query, signal) {
      check()
      return await registry.storedPage(query, signal)
    }
  }
}
