import type { PeerId } from '@libp2p/interface'
import { expect, it } from 'vitest'
import { CatalogError, type ErrorCode, silentLogger, systemClock } from '../../../base/index.ts'
import { Violations } from '../../../node/services/violations.ts'

it('a peer that breaks protocols again and again is disconnected, and denied for a while', () => {
  let nowMs = 0
  const left: string[] = []
  const violations = new Violations({
    clock: { ...systemClock, monotonicMs: () => nowMs },
    log: silentLogger,
    disconnect: async peerId => void left.push(peerId.toString())
  })
  const peer = (name: string): PeerId => ({ toString: () => name }) as PeerId
  const report = (name: string, times: number, code: ErrorCode = 'PROTOCOL_VIOLATION'): void => {
    for (let i = 0; i < times; i++)
      violations.of(i % 2 === 0 ? 'content' : 'control')(peer(name), new CatalogError(code, 'x'))
  }
  report('bad', 4)
  report('silent', 20, 'TIMEOUT')
  report('clumsy', 4)
  expect(left).toEqual([])
  report('bad', 3, 'BYTES_WRONG')
  expect(left).toEqual(['bad'])
  expect(violations.denied()).toEqual(['bad'])
  expect(['bad', 'silent', 'clumsy'].map(name => violations.isDenied(name))).toEqual([true, false, false])
  nowMs += 600_000
  report('clumsy', 1)
  expect(left).toEqual(['bad'])
  expect(violations.isDenied('bad')).toBe(false)
  expect(violations.denied()).toEqual([])
})
