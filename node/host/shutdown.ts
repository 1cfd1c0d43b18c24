import type { Libp2p } from '@libp2p/interface'
import type { LevelDatastore } from 'datastore-level'
import type { Clock, Logger } from '../../base/index.ts'
import { GOODBYE_MS, STOP_MS } from './options.ts'
import type { Goodbye } from './types.ts'

export interface ShutdownModules {
  readonly libp2p: Libp2p
  readonly datastore: LevelDatastore
  readonly clock: Clock
  readonly log: Logger
  readonly goodbyes: readonly Goodbye[]
}

/** Says goodbye, stops libp2p, closes the peer store; each with a bound, and whatever the others do. Never rejects. */
export async function shutDown({ libp2p, datastore, clock, log, goodbyes }: ShutdownModules): Promise<void> {
  const bounded = async (
    what: string,
    limitMs: number,
    task: (signal: AbortSignal) => Promise<unknown>
  ): Promise<void> => {
    const over = new AbortController()
    const limit = new AbortController()
    const expired = clock.wait(limitMs, over.signal).then(
      () => {
        limit.abort(new Error(`${what} took longer than ${limitMs} ms`))
        log.warn({ limitMs }, `${what} was cut short`)
      },
      () => {}
    )
    const done = task(limit.signal).catch((error: unknown) => log.warn({ err: error }, `${what} failed`))
    await Promise.race([done, expired])
    over.abort()
  }
  await bounded('saying goodbye', GOODBYE_MS, signal =>
    Promise.allSettled(goodbyes.map(async bye => await bye(signal)))
  )
  await bounded('stopping libp2p', STOP_MS, async () => await libp2p.stop())
  await bounded('closing the peer store', STOP_MS, () => datastore.close())
}
