import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { lookUp } from '../../../node/services/lookup.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

const LATE_MS = 300

/** A look-up among 12 holders; who answers is the test's to say. */
function start() {
  const clock = new ManualClock()
  const asked: string[] = []
  const answers = new Map<string, () => void>()
  const network = {
    connected: () => ['p1'],
    async *holders() {
      for (let i = 1; i <= 12; i++) yield { peerId: `p${i}`, source: 'peer', ageMs: 0 }
    },
    releases: (_: unknown, peerId: string) => {
      asked.push(peerId)
      return new Promise(resolve => answers.set(peerId, () => resolve({ releases: [], statements: [] })))
    }
  } as never
  const modules = {
    network,
    topology: { order: (ids: readonly string[]) => [...ids], lateMs: () => LATE_MS },
    registry: { async *entries() {} },
    clock,
    logger: silentLogger
  }
  const ended = lookUp(modules, { name: 'demo' }, new AbortController().signal).catch(() => undefined)
  const answerAll = (): void => {
    for (const answer of answers.values()) answer()
  }
  return { clock, asked, answers, answerAll, ended }
}

describe('a look-up', () => {
  it('asks eight holders at once, and the next when one has answered', async () => {
    const { asked, answers, answerAll, ended } = start()
    await eventually(() => asked.length === 8)
    answers.get('p3')!()
    await eventually(() => asked.length === 9)
    answerAll()
    await eventually(() => asked.length === 12)
    answerAll()
    await ended
  })

  it('asks the others when those eight are late, and not before', async () => {
    const { clock, asked, answerAll, ended } = start()
    await eventually(() => asked.length === 8)
    await clock.advance(LATE_MS)
    expect(asked).toHaveLength(8)
    await clock.advance(250)
    await eventually(() => asked.length === 12)
    answerAll()
    await ended
  })
})
