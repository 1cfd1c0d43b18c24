/** A release that only libraries have which may be out of date is not taken without a word: what hides a yank from a node must not go unseen. */
import { describe, expect, test } from 'vitest'
import { expectFresh } from '../../../node/services/freshness.ts'
import type { FetchRequest } from '../../../node/services/types.ts'
import type { HavingLibrary } from '../../../sync/index.ts'
import { demoRecord } from './demo-record.ts'

const NOW_MS = 1_800_000_000_000
const RECORD = demoRecord()
const holders = [{ peerId: 'peer', record: RECORD.id }]

const copy = (expires: number | undefined): HavingLibrary => ({
  writer: new Uint8Array(32),
  name: 'home',
  access: 'public',
  ...(expires === undefined ? {} : { expires })
})
const [PAST, FUTURE, OWN] = [copy(NOW_MS), copy(NOW_MS + 1), copy(undefined)]

function take(having: HavingLibrary[], request: Partial<FetchRequest> = {}, told = false): Promise<void> {
  const modules = { sets: { access: { having: async () => having } }, clock: { now: () => NOW_MS } }
  return expectFresh(modules, { spec: 'demo', ...request }, { record: RECORD, holders: told ? holders : [] })
}

describe('a release of libraries that may be out of date', () => {
  test.each([[[PAST]], [[PAST, copy(1)]]])('is not taken', async having => {
    await expect(take(having)).rejects.toMatchObject({
      code: 'LIBRARY_EXPIRED',
      details: { expiredAt: new Date(NOW_MS).toISOString() }
    })
  })

  test.each<[string, HavingLibrary[], Partial<FetchRequest>, boolean]>([
    ['one of them is not', [PAST, FUTURE], {}, false],
    ['a library of this node has it', [PAST, OWN], {}, false],
    ['no library has it', [], {}, false],
    ['a peer has told of it just now', [PAST], {}, true],
    ['it is wanted all the same', [PAST], { stale: true }, false],
    ['its content is locked', [PAST], { content: RECORD.release.content.toString() }, false],
    ['it is named by its hash', [PAST], { spec: RECORD.id.toString() }, false]
  ])('is taken when %s', async (_, having, request, told) => {
    await expect(take(having, request, told)).resolves.toBeUndefined()
  })
})
