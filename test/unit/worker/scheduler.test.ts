import { describe, expect, test } from 'vitest'
import { JOB_CLASSES, type JobClass, Scheduler, SLICE_MS } from '../../../library/worker/scheduler.ts'

/** A scheduler on a clock moved by hand; `run` takes one deferred turn at a time. */
function manual(): { scheduler: Scheduler; pass(ms: number): void; turn(): Promise<void> } {
  let nowMs = 0
  const deferred: Array<() => void> = []
  const scheduler = new Scheduler({ monotonicMs: () => nowMs, defer: run => void deferred.push(run) })
  return {
    scheduler,
    pass: ms => {
      nowMs += ms
    },
    turn: async () => {
      deferred.shift()?.()
      await new Promise(resolve => setImmediate(resolve))
    }
  }
}

describe('scheduler', () => {
  test('turns go to the most urgent class, then to who came first', async () => {
    const { scheduler, turn } = manual()
    const done: string[] = []
    const job = (jobClass: JobClass, name: string): void => {
      void scheduler.run(jobClass, async () => void done.push(name))
    }
    for (const jobClass of [...JOB_CLASSES].reverse()) job(jobClass, jobClass)
    job('receive', 'receive 2')
    for (let i = 0; i < 6; i++) await turn()
    expect(done).toEqual(['receive', 'receive 2', 'ingest', 'sync', 'index', 'gc'])
  })

  test('a slice is over after 20 ms, or when someone more urgent waits', async () => {
    const { scheduler, pass, turn } = manual()
    const slice = scheduler.slice('ingest')
    void slice.pause()
    await turn()
    expect(slice.due()).toBe(false)
    pass(SLICE_MS - 1)
    expect(slice.due()).toBe(false)
    pass(1)
    expect(slice.due()).toBe(true)
    void slice.pause()
    await turn()
    expect(slice.due()).toBe(false)
    void scheduler.slice('gc').pause()
    expect(slice.due()).toBe(false)
    void scheduler.slice('receive').pause()
    expect(slice.due()).toBe(true)
  })

  test('a long job of a lower class gives way and goes on', async () => {
    const { scheduler, pass, turn } = manual()
    const order: string[] = []
    void scheduler.run('gc', async slice => {
      for (let i = 0; i < 3; i++) {
        order.push(`gc ${i}`)
        pass(SLICE_MS)
        if (slice.due()) await slice.pause()
      }
    })
    await turn()
    void scheduler.run('receive', async () => void order.push('receive'))
    for (let i = 0; i < 4; i++) await turn()
    expect(order).toEqual(['gc 0', 'receive', 'gc 1', 'gc 2'])
  })

  test('who has waited a second gets one slice', async () => {
    const { scheduler, pass, turn } = manual()
    let collected = false
    void scheduler.run('gc', async () => {
      collected = true
    })
    const busy = scheduler.slice('receive')
    for (let i = 0; i < 50; i++) {
      void busy.pause()
      await turn()
      expect(collected).toBe(false)
      pass(SLICE_MS)
    }
    void busy.pause()
    await turn()
    expect(collected).toBe(true)
  })
})
