import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Context } from '../../../cli/framework/context.ts'
import { interrupted } from '../../../cli/framework/interrupt.ts'
import { promptSecret } from '../../../cli/framework/prompt.ts'

/** A terminal at which somebody sits, and what it did. */
function terminal(signal = new AbortController().signal) {
  const done: string[] = []
  const stdin = Object.assign(new EventEmitter(), {
    setRawMode: (isRaw: boolean) => done.push(isRaw ? 'raw' : 'cooked'),
    resume: () => {},
    pause: () => done.push('paused')
  })
  const stderr = { write: (text: string) => done.push(text) }
  const context = { io: { stdin, stderr }, signal } as unknown as Context
  return { done, context, type: (text: string) => stdin.emit('data', Buffer.from(text)), stdin }
}

describe('asking for a secret', () => {
  it('shows nothing of it, and takes back what was deleted', async () => {
    const { done, context, type, stdin } = terminal()
    const asked = promptSecret(context, 'Passphrase: ')
    for (const text of ['sword', 'x\u007f', 'fish', '\r']) type(text)
    expect(await asked).toBe('swordfish')
    expect(done).toEqual(['Passphrase: ', 'raw', 'cooked', 'paused', '\n'])
    expect(stdin.listenerCount('data')).toBe(0)
  })

  it('ends with Ctrl-C', async () => {
    const { context, type } = terminal()
    const asked = promptSecret(context, 'Passphrase: ')
    type('\u0003')
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' })
  })

  it('ends with the command, and leaves the terminal as it was', async () => {
    const controller = new AbortController()
    const { done, context, stdin } = terminal(controller.signal)
    const asked = promptSecret(context, 'Passphrase: ')
    controller.abort(interrupted('SIGTERM'))
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED', details: { signal: 'SIGTERM' } })
    expect(done.at(-3)).toBe('cooked')
    expect(stdin.listenerCount('data')).toBe(0)
    await expect(promptSecret(context, 'Again: ')).rejects.toMatchObject({ code: 'ABORTED' })
    expect(done).not.toContain('Again: ')
  })
})
