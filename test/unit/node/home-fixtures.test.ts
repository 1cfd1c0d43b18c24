import { chmod, cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { loadConfig } from '../../../config/index.ts'
import { PROVIDER_LIMITS } from '../../../discovery/providers/limits.ts'
import { ProviderStore } from '../../../discovery/providers/store.ts'
import { HOME_LIBRARY } from '../../../library/index.ts'
import { CURRENT_FORMAT, openHome, readFormat } from '../../../node/index.ts'
import { FetchJobs } from '../../../node/services/fetch-jobs.ts'
import { LibrarySets } from '../../../sync/index.ts'
import { Keyring, loadNodeKey } from '../../../trust/index.ts'
import { openTestLibrary } from '../../library.ts'

const FIXTURES = resolve(import.meta.dirname, '../../fixtures/homes')
const FORMATS = Array.from({ length: CURRENT_FORMAT }, (_, i) => String(i + 1))

/** Git keeps no modes: what only the owner may read is made so again. */
async function copyOf(format: string, root: string): Promise<void> {
  await cp(join(FIXTURES, format), root, { recursive: true })
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o700 : 0o600)
  await chmod(root, 0o700)
}

it.each(FORMATS)('a home of format %s opens with all that it holds', async format => {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-fixture-'))
  try {
    const root = join(folder, 'home')
    await copyOf(format, root)
    const home = await openHome(root)
    expect(await readFormat(home)).toBe(CURRENT_FORMAT)
    expect(loadConfig({ file: home.config, env: {}, flags: {} }).warnings).toEqual([])
    const node = await loadNodeKey(home.nodeKey)
    const key = await (await Keyring.open({ clock: systemClock }, { folder: home.keyring })).load('default')
    const library = await openTestLibrary({ log: silentLogger, clock: systemClock }, { home: root })
    try {
      const { registry, content, database } = library
      const [record] = await registry.versions('demo')
      expect(record!.release).toMatchObject({ version: '1.0.0', owner: key.publicKey })
      expect(registry.ownerPin('demo')).toEqual(key.publicKey)
      expect(registry.count()).toBe(1)
      expect(content.localState(record!.release.content)).toBe('complete')
      expect(await content.verify(record!.release.content)).toMatchObject({ ok: true, bad: [] })
      const jobs = await new FetchJobs({ database }).unfinished(AbortSignal.timeout(10_000))
      expect(jobs).toMatchObject([{ id: record!.id.toString(), name: 'demo', version: '1.0.0' }])
      const claims = new ProviderStore(
        { database, clock: systemClock, log: silentLogger, random: Math.random },
        { self: new Uint8Array(), isNear: () => true, limits: PROVIDER_LIMITS }
      )
      expect(claims.totals()).toEqual({ claims: 2, providers: 1 })
      await claims.cleanUp()
      const sets = new LibrarySets(
        { library, clock: systemClock, log: silentLogger },
        { writer: node.key.publicKey }
      )
      expect(await sets.check(HOME_LIBRARY)).toMatchObject({ ok: true, records: 1, problems: [] })
      await sets.renew(HOME_LIBRARY)
      expect((await sets.state(HOME_LIBRARY)).head?.root).toEqual((await sets.state(HOME_LIBRARY)).root)
    } finally {
      await library.close()
    }
  } finally {
    await rm(folder, { recursive: true })
  }
})
