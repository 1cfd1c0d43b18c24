import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import type { ContentStore, VerifyReport } from '../../../library/index.ts'
import { createVerification } from '../../../node/services/verification.ts'

const cid = CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy')
const record = { id: cid, release: { name: 'demo', version: '1.0.0', content: cid } }
const context = { signal: new AbortController().signal, progress: () => {} }
const missing = { id: 'aa', path: 'a', reason: 'missing' as const }
const corrupt = { id: 'bb', path: 'b', reason: 'corrupt' as const }

/** A node with one release in that state, of which a walk says `report`. */
function verify(state: ReturnType<ContentStore['localState']>, report: Partial<VerifyReport>) {
  const service = createVerification({
    registry: { list: async () => ({ releases: [record] }) } as never,
    content: {
      localState: () => state,
      verify: async () => ({ ok: false, checked: 3, bytes: 30, missing: 0, corrupt: 0, bad: [], ...report })
    } as never
  })
  return service.verify(undefined, context)
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
      partial: [{ release: 'demo@1.0.0', blocks: 3, blocksKnown: 2003 }]
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
})
