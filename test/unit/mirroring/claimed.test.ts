import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Claimed } from '../../../node/services/mirroring/claimed.ts'

interface Step {
  readonly peer: string
  readonly content: string
  readonly do: string
}

const names = fc.constantFrom('a', 'b', 'c', 'd')
const step = fc.record({
  peer: names,
  content: names,
  do: fc.constantFrom('add', 'prove', 'remove', 'forget')
})

/** What is so after some steps, by the peer and content of each claim. */
function modelOf(steps: ReadonlyArray<Step>, claimed: Claimed): Map<string, number | undefined> {
  const model = new Map<string, number | undefined>()
  steps.forEach(({ peer, content, do: what }, nowMs) => {
    const key = `${peer} ${content}`
    if (what === 'add') {
      claimed.add(peer, content)
      if (!model.has(key)) model.set(key, undefined)
    } else if (what === 'prove') {
      claimed.proven(peer, content, nowMs)
      model.set(key, nowMs)
    } else if (what === 'remove') {
      claimed.remove(peer, content)
      model.delete(key)
    } else {
      claimed.forgetPeer(peer)
      for (const known of [...model.keys()]) if (known.startsWith(`${peer} `)) model.delete(known)
    }
  })
  return model
}

test('it says the same by peer as by content, whatever came and went', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const claimed = new Claimed()
      const model = modelOf(steps, claimed)
      const keys = [...model.keys()]
      for (const content of ['a', 'b', 'c', 'd']) {
        const of = keys.filter(key => key.endsWith(` ${content}`)).map(key => key[0]!)
        expect(claimed.holdersOf(content).sort()).toEqual(of.sort())
        for (const peer of of) expect(claimed.provenMs(peer, content)).toBe(model.get(`${peer} ${content}`))
      }
      expect(claimed.peers().sort()).toEqual([...new Set(keys.map(key => key[0]))].sort())
      const before = [...claimed.provenBefore(30)].map(({ peer, content }) => `${peer} ${content}`)
      const old = [...model].filter(([, at]) => at === undefined || at < 30)
      expect(before.sort()).toEqual(old.map(([key]) => key).sort())
    })
  )
})

test("who claims everything takes nobody's place, and loses nothing that it has proven", () => {
  const claimed = new Claimed({ maxClaims: 100 })
  for (let at = 0; at < 10; at++) claimed.proven('liar', `proven ${at}`, 1)
  for (let at = 0; at < 90; at++) expect(claimed.add('liar', `content ${at}`)).toBe(true)
  expect(claimed.add('liar', 'one more')).toBe(false)
  for (let at = 0; at < 30; at++) expect(claimed.add('honest', `content ${at}`)).toBe(true)
  for (const peer of ['ada', 'ben']) claimed.proven(peer, 'proven 0', 1)
  expect(claimed.of('honest')).toHaveLength(30)
  expect(claimed.holdersOf('proven 0').sort()).toEqual(['ada', 'ben', 'liar'])
  expect(claimed.of('liar')).toHaveLength(68)
  for (let at = 0; at < 10; at++) expect(claimed.provenMs('liar', `proven ${at}`)).toBe(1)
  // As many each: nobody has to go for the other.
  for (let at = 30; at < 90; at++) claimed.add('honest', `content ${at}`)
  expect(Math.abs(claimed.of('honest').length - (claimed.of('liar').length - 10))).toBeLessThanOrEqual(1)
})
