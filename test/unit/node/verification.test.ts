import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import type { ContentStore, VerifyReport } from '../../../library/index.ts'
import { createVerification } from '../../../node/services/verification.ts'
import { MANUAL } from './policies.ts'

const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const record = { id: cid, release: { name: 'demo', version: '1.0.0', content: cid } }
const context = { signal: new AbortController().signal, progress: () => {} }
const missing = { id: 'aa', path: 'a', reason: 'missing' as const }
const corrupt = { id: 'bb', path: 'b', reason: 'corrupt' as const }

const WHOLE_TREE = {
  ok: true,
  root: 'aa',
  records: 3,
  nodes: 1,
  sizeBytes: 193,
  problems: [],
  problemCount: 0
}
const DAMAGED_TREE = { ...WHOLE_TREE, ok: false, records: 0, nodes: 0, problems: ['gone'], problemCount: 1 }

/** A node with one release in that state, of which a walk says `report`. */
function verify(
  state: ReturnType<ContentStore['localState']>,
  report: Partial<VerifyReport>,
  {
    repair = false,
    isKept = state === 'complete',
    fetch = async () => ({}),
    isTreeOk = true,
    spec = undefined as string | undefined
  } = {}
) {
  let wasFetched = false
  let wasRebuilt = false
  const service = createVerification({
    policies: MANUAL,
    registry: { list: async () => ({ releases: [record] }), get: () => record } as never,
    content: {
      localState: () => state,
      isKept: () => isKept,
      verify: async () =>
        wasFetched
          ? { ok: true }
          : { ok: false, checked: 3, bytes: 30, missing: 0, corrupt: 0, bad: [], ...report }
    } as never,
    fetching: {
      fetch: async () => {
        await fetch()
        wasFetched = true
      }
    } as never,
    sets: {
      check: async () => (isTreeOk || wasRebuilt ? WHOLE_TREE : DAMAGED_TREE),
      rebuild: async () => {
        wasRebuilt = true
        return { records: 3, unreadable: 0 }
      },
      copies: async () => [],
      access: { own: async () => [{ libraryId: 'home' }] as never }
    }
  })
  return service.verify(spec, repair, context)
}

describe('verification', () => {
  it('reports what was fetched in part as partial, not as bad', async () => {
    expect(await verify('partial', { missing: 2000, bad: [missing] })).toEqual({
      ok: true,
      checked: 3,
      bytes: 30,
      missing: 0,
      corrupt: 0,
      bad: [],
      partial: [{ release: 'demo@1.0.0', blocks: 3, blocksKnown: 2003 }],
      repaired: [],
      trees: [expect.objectContaining({ library: 'home', ok: true, records: 3, rebuilt: false })]
    })
  })

  it('tells a damaged tree, and builds it anew when it is asked to repair', async () => {
    const found = await verify('complete', { ok: true }, { isTreeOk: false })
    expect(found).toMatchObject({ ok: false, trees: [{ ok: false, problems: ['gone'], rebuilt: false }] })
    const mended = await verify('complete', { ok: true }, { isTreeOk: false, repair: true })
    expect(mended).toMatchObject({
      ok: true,
      trees: [{ ok: true, root: 'aa', records: 3, problems: ['gone'], problemCount: 1, rebuilt: true }]
    })
  })

  it('finds what is damaged in a partial one too', async () => {
    const result = await verify('partial', { missing: 1, corrupt: 1, bad: [missing, corrupt] })
    expect(result).toMatchObject({ ok: false, missing: 0, corrupt: 1, bad: [{ reason: 'corrupt' }] })
  })

  it('finds what is gone from a complete one, and tells the true number', async () => {
    const result = await verify('complete', { missing: 2000, bad: [missing] })
    expect(result).toMatchObject({ ok: false, missing: 2000, bad: [{ reason: 'missing' }], partial: [] })
  })

  it('does not call good what is not here: --all passes over it, its own name says so', async () => {
    expect(await verify('none', {})).toMatchObject({ ok: true, checked: 0 })
    await expect(verify('none', {}, { spec: `${cid}` })).rejects.toMatchObject({
      code: 'CONTENT_MISSING',
      message: 'nothing of demo@1.0.0 is stored here'
    })
  })

  it('fetches what is damaged again, and says how it is then', async () => {
    const damage = { missing: 1, bad: [missing] }
    const repaired = await verify('complete', damage, { repair: true })
    expect(repaired).toMatchObject({ ok: true, missing: 1, repaired: [{ release: 'demo@1.0.0', ok: true }] })
    const fetch = async (): Promise<never> => {
      throw new CatalogError('NO_PROVIDERS', 'nobody')
    }
    const failed = await verify('partial', damage, { repair: true, isKept: true, fetch })
    expect(failed).toMatchObject({ ok: false, repaired: [{ ok: false, error: 'NO_PROVIDERS' }] })
  })
})
