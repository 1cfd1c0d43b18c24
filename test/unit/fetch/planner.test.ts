import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Part, type Run } from '../../../protocols/content/frames.ts'
import {
  type Position,
  RequestBuilder,
  type RequestLimits,
  type Want
} from '../../../protocols/content/planner.ts'

/** A release as positions see it: for each page its entries, 0 = no block, 1 = one chunk, n = a file of n chunks. */
type Model = number[][]

const CHUNK_BYTES = 100
const id = new Uint8Array(32)

/** Every block of the model in the order of the walk, as wants. */
function wantsOf(model: Model): Want[] {
  return model.flatMap((entries, page) => {
    let previousSlot = -1
    return entries.flatMap((chunks, slot): Want[] => {
      if (chunks === 0) return []
      const root: Position = { part: Part.Roots, page, slot, previousSlot }
      previousSlot = slot
      if (chunks === 1) return [{ position: root, id, rawLengthBytes: CHUNK_BYTES }]
      const below = Array.from({ length: chunks }, (_, index): Want => {
        return { position: { part: Part.File, page, slot, level: 0, index }, id, rawLengthBytes: CHUNK_BYTES }
      })
      return [{ position: root, id, rawLengthBytes: undefined }, ...below]
    })
  })
}

/** What a server reads from runs: written down from docs/wire.md, not from the planner. */
function namesOf(runs: readonly Run[], model: Model): string[] {
  return runs.flatMap(({ part, page, slot, first, count, level }) => {
    const numbers = Array.from({ length: count }, (_, i) => i)
    if (part === Part.Roots)
      return numbers.filter(i => model[page]![slot + i]! > 0).map(i => `root ${page}/${slot + i}`)
    return numbers.map(i => `${part} ${page}/${slot} level ${level} ${first + i}`)
  })
}

function nameOf({ position }: Want): string {
  if (position.part === Part.Roots) return `root ${position.page}/${position.slot}`
  if (position.part !== Part.File) throw new Error('the model has no manifest')
  return `${position.part} ${position.page}/${position.slot} level ${position.level} ${position.index}`
}

function plan(wants: readonly Want[], limits: RequestLimits): Array<{ runs: Run[]; wants: Want[] }> {
  const requests: Array<{ runs: Run[]; wants: Want[] }> = []
  let builder = new RequestBuilder<Want>(limits)
  for (const want of wants) {
    if (builder.add(want)) continue
    requests.push(builder.build())
    builder = new RequestBuilder<Want>(limits)
    expect(builder.add(want)).toBe(true)
  }
  return builder.isEmpty ? requests : [...requests, builder.build()]
}

const LIMITS: RequestLimits = { maxBytes: 1000, maxBlocks: 12, maxNodes: 3, maxRuns: 4 }
const models = fc.array(fc.array(fc.constantFrom(0, 1, 1, 1, 3, 8), { minLength: 1, maxLength: 12 }), {
  maxLength: 5
})

describe('the planner', () => {
  it('names exactly the wanted blocks in their order, within the limits, whatever is held already', () => {
    fc.assert(
      fc.property(models, fc.array(fc.boolean(), { minLength: 1 }), (model, held) => {
        const wants = wantsOf(model).filter((_, i) => !held[i % held.length])
        const requests = plan(wants, LIMITS)
        expect(requests.flatMap(request => request.wants)).toEqual(wants)
        for (const request of requests) {
          expect(namesOf(request.runs, model)).toEqual(request.wants.map(nameOf))
          const nodes = request.wants.filter(want => want.rawLengthBytes === undefined).length
          expect(nodes).toBeLessThanOrEqual(LIMITS.maxNodes)
          expect(request.runs.length).toBeLessThanOrEqual(LIMITS.maxRuns)
          expect(request.wants.length).toBeLessThanOrEqual(LIMITS.maxBlocks)
          expect((request.wants.length - nodes) * CHUNK_BYTES).toBeLessThanOrEqual(LIMITS.maxBytes)
        }
      })
    )
  })

  it('makes one run of a thousand small files, over links and empty files between them', () => {
    const entries = Array.from({ length: 1500 }, (_, i) => (i % 3 === 0 ? 0 : 1))
    const [request, ...rest] = plan(wantsOf([entries]), { ...LIMITS, maxBytes: 1e6, maxBlocks: 1024 })
    expect(rest).toEqual([])
    expect(request?.runs).toHaveLength(1)
    expect(request?.runs[0]).toMatchObject({ part: Part.Roots, slot: 1, count: 1499 })
  })
})
