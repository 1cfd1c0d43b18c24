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
  expect(['silent', 'clumsy'].map(name => violations.refusal(name))).toEqual([undefined, undefined])
  expect(violations.refusal('bad')).toMatchObject({
    code: 'CIRCUIT_OPEN',
    message: expect.stringContaining('this node has nothing to do with it for 10m'),
    details: { peerId: 'bad', retryAfterMs: 600_000 }
  })
  nowMs += 600_000
  report('clumsy', 1)
  expect(left).toEqual(['bad'])
  expect(violations.refusal('bad')).toBeUndefined()
  expect(violations.denied()).toEqual([])
})
