import { onTestFinished } from 'vitest'
import { serveAdmin } from '../../../node/admin/server.ts'

/** Serves the admin API until the running test has ended, whoever is connected. */
export async function serveAdminForTest(...args: Parameters<typeof serveAdmin>): Promise<void> {
  const server = await serveAdmin(...args)
  onTestFinished(() => server.close(AbortSignal.abort()))
}
