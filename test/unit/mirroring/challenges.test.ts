/** Peers that claim everything, and what is left for others. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { Challenges } from '../../../node/services/mirroring/challenges.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf } from '../records/examples.ts'

let challenges: Challenges
let stop: AbortController
/** Peers as they were asked, and how each answer is given, in that order. */
let asked: string[]
let gates: Array<() => void>

beforeEach(() => {
  stop = new AbortController()
  asked = []
  gates = []
  const possession = {
    challenge: (peer: string) =>
      new Promise<'proven'>(resolve => {
        asked.push(peer)
        gates.push(() => resolve('proven'))
      }),
    claimed: () => undefined
  }
  challenges = new Challenges(
    { possession, clock: new ManualClock(), logger: silentLogger, random: () => 0.5 },
    { onOutcome: () => undefined }
  )
})
afterEach(() => stop.abort())

const begin = (): void => void challenges.run(stop.signal).catch(() => undefined)
const add = (peer: string, name: string): boolean => challenges.add({ peer, content: contentOf(name) })
const settled = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

test('peers have their turns, however much is asked of those who came first', async () => {
  for (let liar = 0; liar < 10; liar++) for (let at = 0; at < 20; at++) add(`liar ${liar}`, `content ${at}`)
  add('honest', 'one')
  begin()
  for (let turn = 0; turn < 4; turn++) {
    await settled()
    gates.shift()!()
  }
  await settled()
  expect(asked).toContain('honest')
})

test('where too many wait, one of who has most makes room, and never for as many', () => {
  const contents = Array.from({ length: 2000 }, (_, at) => contentOf(`content ${at}`))
  const addAll = (peer: string): boolean[] => contents.map(content => challenges.add({ peer, content }))
  for (let liar = 0; liar < 10; liar++) expect(addAll(`liar ${liar}`)).not.toContain(false)
  const isTaken = addAll('honest')
  expect(challenges.waiting).toBe(20_000)
  // A fair share of eleven.
  expect(isTaken.filter(taken => taken).length).toBeGreaterThanOrEqual(1800)
  expect(add('late', 'one')).toBe(true)
})
