import { expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import { type ResolvingModules, resolveRelease } from '../../../node/services/resolving.ts'
import { asGiven } from './as-given.ts'
import { demoRecord } from './demo-record.ts'
import { nothingBlocked } from './nothing-blocked.ts'
import { MANUAL } from './policies.ts'

const HERE = demoRecord()

/** Asks for a version that is not here, where the search for holders ends as `search` does. */
async function resolveMissing(connected: string[], search: CatalogError | undefined) {
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
    blocking: nothingBlocked,
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
