import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** Resolves with the first message of a child; rejects when the child ends without one, with what it wrote to stderr. */
export async function firstMessage<T>(
  child: ChildProcess,
  stderr: () => string = () => '(see stderr)'
): Promise<T> {
  const waiting = new AbortController()
  const { signal } = waiting
  try {
    const ended = once(child, 'exit', { signal }).then(([code, killedBy]) => {
      throw new Error(
        `the child ended without a message: exit code ${code}, signal ${killedBy}, stderr:\n${stderr()}`
      )
    })
    const [message] = (await Promise.race([once(child, 'message', { signal }), ended])) as [T]
    ended.catch(() => {})
    return message
  } finally {
    waiting.abort()
  }
}
