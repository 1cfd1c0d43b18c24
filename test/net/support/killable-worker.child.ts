/**
 * Loaded before a daemon with `--import`: SIGUSR2 ends the daemon's worker thread wherever it is, as running out of
 * memory would. A single thread cannot be killed from outside its process, and the product has no such switch.
 */
import { syncBuiltinESMExports } from 'node:module'
import threads from 'node:worker_threads'

if (threads.isMainThread) {
  const running = new Set<threads.Worker>()
  const OriginalWorker = threads.Worker
  threads.Worker = class extends OriginalWorker {
    constructor(...parameters: ConstructorParameters<typeof OriginalWorker>) {
      super(...parameters)
      running.add(this)
      this.once('exit', () => running.delete(this))
    }
  }
  syncBuiltinESMExports()
  process.on('SIGUSR2', () => {
    for (const worker of running) void worker.terminate()
  })
}
