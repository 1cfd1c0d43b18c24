import { describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { Shutdown } from '../../../node/shutdown.ts'

const never = new Promise<void>(() => {})

/** A clock whose waits are over at once. */
const hasty = { ...systemClock, wait: async () => {} }

describe('the way down', () => {
  it('is the way up in reverse', async () => {
    const shutdown = new Shutdown({ clock: systemClock })
    const order: string[] = []
    for (const name of ['library', 'host', 'admin'])
      shutdown.leave(name, async () => {
        order.push(name)
      })
    expect(await shutdown.run(silentLogger, new AbortController().signal)).toEqual([])
    expect(order).toEqual(['admin', 'host', 'library'])
  })

  it('goes on past a part that fails or hangs, and names it', async () => {
    const shutdown = new Shutdown({ clock: hasty })
    const order: string[] = []
    shutdown.leave('library', () => {
      order.push('library')
    })
    shutdown.leave('failing', () => {
      throw new Error('broken')
    })
    shutdown.leave('hanging', () => never)
    expect(await shutdown.run(silentLogger, new AbortController().signal)).toEqual(['hanging', 'failing'])
    expect(order).toEqual(['library'])
  })

  it('tells a part that it must end at once', async () => {
    const shutdown = new Shutdown({ clock: systemClock })
    const deadline = new AbortController()
    let told = false
    shutdown.leave('admin', signal => {
      const ended = new Promise<void>(resolve => {
        signal.addEventListener('abort', () => {
          told = true
          resolve()
        })
      })
      deadline.abort()
      return ended
    })
    expect(await shutdown.run(silentLogger, deadline.signal)).toEqual([])
    expect(told).toBe(true)
  })
})
