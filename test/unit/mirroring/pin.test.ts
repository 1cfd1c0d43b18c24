/** What an operator wants held whatever its rank. */
import { expect, test } from 'vitest'
import { createReleaseRecord } from '../../../library/index.ts'
import { createMirrorService, type MirrorServiceModules } from '../../../node/services/mirroring/service.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const { signal } = new AbortController()
const record = createReleaseRecord(small({ name: 'lib', content: contentOf('lib') }), keyOf('publisher'))

test('a release of a closed library is refused before anything of its content comes', async () => {
  let transfers = 0
  const modules = {
    fetching: {
      fetch: async (_: object, context: { release?(shape: object): void }) => {
        context.release?.({ id: record.id.toString() })
        transfers++
        return { id: record.id.toString() }
      }
    },
    registry: { get: () => record, isClosed: () => true }
  }
  const service = createMirrorService(modules as unknown as MirrorServiceModules)
  const pinned = service.pin('lib', undefined, { signal, progress: () => undefined })
  await expect(pinned).rejects.toMatchObject({ code: 'NOT_PERMITTED' })
  expect(transfers).toBe(0)
})
