import { expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import { Blocking } from '../../../node/services/blocking.ts'
import { type ResolvingModules, resolveRelease } from '../../../node/services/resolving.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'
import { asGiven } from './as-given.ts'
import { demoRecord } from './demo-record.ts'
import { nothingBlocked } from './nothing-blocked.ts'
import { MANUAL } from './policies.ts'

const HERE = demoRecord()

/** Asks for a version that is not here, where the search for holders ends as `search` does. */
async function resolveMissing(
  connected: string[],
  search: CatalogError | undefined,
  blocking: object = nothingBlocked
) {
  const modules = {
    clock: systemClock,
    logger: silentLogger,
    registry: {
      ownerPin: () => HERE.release.owner,
      versions: async () => [HERE],
      status: () => undefined,
      statements: async () => [],
      add: async () => undefined,
      async *entries() {},
      get: () => HERE,
      isClosed: () => false
    },
    content: {},
    policies: MANUAL,
    blocking,
    topology: asGiven,
    network: {
      connected: () => connected,
      // biome-ignore lint/correctness/useYield: a search that finds nobody
      async *holders() {
        if (search !== undefined) throw search
      }
    }
  }
  const { signal } = new AbortController()
  return await resolveRelease(
    modules as unknown as ResolvingModules,
    { spec: 'demo@^2', network: true },
    signal
  )
}

const nobody = new CatalogError('NO_PROVIDERS', 'nobody announces it')

it.each<[string, string[], CatalogError | undefined, string]>([
  ['that nobody else announces', ['other'], nobody, 'NO_PROVIDERS'],
  ['of a node that is alone', [], undefined, 'NO_PEERS']
])(
  'a version that is not here, of a name %s: which versions are here is told',
  async (_, connected, search, code) => {
    await expect(resolveMissing(connected, search)).rejects.toMatchObject({
      code,
      message: expect.stringContaining('there is 1.0.0 here'),
      details: { versions: ['1.0.0'] }
    })
  }
)

it('what is blocked altogether is asked of nobody, and said to be blocked', async () => {
  const blocking = await Blocking.open({
    database: new MemoryDatabase(),
    clock: systemClock,
    logger: silentLogger
  })
  await blocking.add('demo', 'malware')
  const search = new CatalogError('INTERNAL', 'somebody was asked')
  for (const connected of [[], ['other']])
    await expect(resolveMissing(connected, search, blocking)).rejects.toMatchObject({
      code: 'RELEASE_BLOCKED',
      message: 'demo@^2 is blocked on this node: malware',
      hint: 'to let it in again: catalog block remove demo'
    })
})
