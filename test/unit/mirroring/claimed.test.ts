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
