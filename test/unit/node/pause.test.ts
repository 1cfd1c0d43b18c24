import { expect, it } from 'vitest'
import { Lifecycle } from '../../../node/lifecycle.ts'
import { createPause } from '../../../node/services/pause.ts'

function node(failing: string[] = []) {
  const lifecycle = new Lifecycle()
  lifecycle.transition('running', 'test')
  const calls: string[] = []
  const part = (name: string) => {
    const call = (action: string) => async (): Promise<void> => {
      await new Promise(resolve => setImmediate(resolve))
      if (failing.includes(`${action} ${name}`)) throw new Error(`${name} does not ${action}`)
      calls.push(`${action} ${name}`)
    }
    return { pause: call('pause'), resume: call('resume') }
  }
  return { lifecycle, calls, service: createPause({ lifecycle, parts: [part('a'), part('b')] }) }
}

it('resumes once when it is asked twice at the same time', async () => {
  const { service, calls, lifecycle } = node()
  await service.pause()
  const [first, second] = await Promise.allSettled([service.resume(), service.resume()])
  expect(first.status).toBe('fulfilled')
  expect(second).toMatchObject({ reason: { code: 'STATE_REFUSED' } })
  expect(calls).toEqual(['pause a', 'pause b', 'resume b', 'resume a'])
  expect(lifecycle.state).toBe('running')
})

it('lets a pause and a resume wait for each other', async () => {
  const { service, calls, lifecycle } = node()
  await Promise.all([service.pause(), service.resume(), service.pause()])
  expect(calls).toEqual(['pause a', 'pause b', 'resume b', 'resume a', 'pause a', 'pause b'])
  expect(lifecycle.state).toBe('paused')
})

it('is as before when a part fails', async () => {
  const pausing = node(['pause b'])
  await expect(pausing.service.pause()).rejects.toThrow('b does not pause')
  expect(pausing.calls).toEqual(['pause a', 'resume a'])
  expect(pausing.lifecycle.state).toBe('running')
  const resuming = node(['resume a'])
  await resuming.service.pause()
  await expect(resuming.service.resume()).rejects.toThrow('a does not resume')
  expect(resuming.calls).toEqual(['pause a', 'pause b', 'resume b', 'pause b'])
  expect(resuming.lifecycle.state).toBe('paused')
})
