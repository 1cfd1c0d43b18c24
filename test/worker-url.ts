import { WORKER_URL } from '../node/worker-url.ts'

/** In the environment of a test that has a bundle: the URL of its worker. No name that a daemon which a test starts would take for a setting. */
export const TEST_WORKER = 'TEST_WORKER_URL'

/** What a test starts the worker thread with: the bundle of this run (worker.setup.ts), or the sources. */
export const testWorkerUrl = (): URL => {
  const bundled = process.env[TEST_WORKER]
  return bundled === undefined ? WORKER_URL : new URL(bundled)
}
