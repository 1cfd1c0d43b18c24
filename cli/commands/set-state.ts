import type { Context } from '../framework/context.ts'

/** Pauses or resumes the daemon and says which state it is in now. */
export async function setState(context: Context, path: '/v1/pause' | '/v1/resume'): Promise<void> {
  const answer = await context
    .client()
    .request<{ state: string }>('POST', path, { body: {}, signal: context.signal })
  context.output.result(answer, () => answer.state)
}
