/** What is remembered of failed fetches: their words, and nothing that would keep the fetch itself. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { CatalogError, systemClock } from '../../../base/index.ts'
import { FetchFailures } from '../../../node/services/fetch-failures.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

/** Something big that fails, as a fetch does: it stands in the stack of its error. */
class Work {
  readonly buffers = new Uint8Array(1 << 20)

  fail(): CatalogError {
    return new CatalogError('PEER_FAILED', `after ${this.buffers.length} bytes`)
  }
}

it('keeps nothing of a fetch that has failed but what is said of it', async () => {
  const failures = new FetchFailures({ clock: systemClock })
  const works: WeakRef<Work>[] = []
  const failOnce = (note: (error: CatalogError) => void): void => {
    const work = new Work()
    works.push(new WeakRef(work))
    note(work.fail())
  }
  failOnce(error => failures.sourceFailed({ name: 'a', version: '1.0.0' }, 'peer', error))
  failOnce(error => failures.failed({ name: 'a', version: '1.0.0' }, error))
  // What a weak reference was made of stays until the end of the turn.
  await new Promise(resolve => setImmediate(resolve))
  collectGarbage()
  expect(works.filter(work => work.deref() !== undefined)).toHaveLength(0)
  const said = { version: '1.0.0', code: 'PEER_FAILED', message: 'after 1048576 bytes' }
  expect(failures.of('a')).toMatchObject({ releases: [said], sources: [{ peerId: 'peer', ...said }] })
})
