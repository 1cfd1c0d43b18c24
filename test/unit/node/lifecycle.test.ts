import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Lifecycle, NODE_STATES, type StateChange, TRANSITIONS } from '../../../node/lifecycle.ts'

describe('the states of a node', () => {
  it('goes through a whole life', () => {
    const lifecycle = new Lifecycle()
    const seen: string[] = []
    lifecycle.observe(({ from, to }) => seen.push(`${from}>${to}`))
    for (const state of ['running', 'paused', 'running', 'shutting-down', 'stopped'] as const)
      lifecycle.transition(state, 'test')
    expect(seen).toEqual([
      'initializing>running',
      'running>paused',
      'paused>running',
      'running>shutting-down',
      'shutting-down>stopped'
    ])
  })

  it('does what the table allows and refuses the rest without a change', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...NODE_STATES), { maxLength: 30 }), steps => {
        const lifecycle = new Lifecycle()
        const changes: StateChange[] = []
        lifecycle.observe(change => changes.push(change))
        for (const to of steps) {
          const from = lifecycle.state
          const told = changes.length
          if (TRANSITIONS[from].includes(to)) {
            lifecycle.transition(to, 'test')
            expect(lifecycle.state).toBe(to)
            expect(changes.length).toBe(told + 1)
          } else {
            expect(() => lifecycle.transition(to, 'test')).toThrow(
              expect.objectContaining({ code: 'STATE_REFUSED', details: { from, to } })
            )
            expect(lifecycle.state).toBe(from)
            expect(changes.length).toBe(told)
          }
        }
      })
    )
  })

  it('tells a refused action from a shutdown', () => {
    const lifecycle = new Lifecycle()
    lifecycle.transition('running', 'test')
    lifecycle.require(['running'], 'fetch')
    lifecycle.transition('paused', 'test')
    expect(() => lifecycle.require(['running'], 'fetch')).toThrow(
      expect.objectContaining({ code: 'STATE_REFUSED' })
    )
    lifecycle.transition('shutting-down', 'test')
    expect(() => lifecycle.require(['running'], 'fetch')).toThrow(
      expect.objectContaining({ code: 'SHUTTING_DOWN' })
    )
  })

  it('stops telling an observer that has left', () => {
    const lifecycle = new Lifecycle()
    let told = 0
    const leave = lifecycle.observe(() => told++)
    lifecycle.transition('running', 'test')
    leave()
    lifecycle.transition('paused', 'test')
    expect(told).toBe(1)
  })
})
