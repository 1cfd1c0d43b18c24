import { describe, expect, it } from 'vitest'
import { type Clock, MINUTE_MS, silentLogger, systemClock } from '../../../base/index.ts'
import { type ResolvingModules, resolveRelease } from '../../../node/services/resolving.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { eventually } from '../../eventually.ts'
import { asGiven } from './as-given.ts'
import { demoRecord } from './demo-record.ts'
import { nothingBlocked } from './nothing-blocked.ts'
import { MANUAL } from './policies.ts'

const [ALICE, MALLORY] = [SigningKey.generate(), SigningKey.generate()]
/** More than what this waits for. */
const LONG = AbortSignal.timeout(MINUTE_MS)

/** Mallory's peer answers at once, Alice's as many milliseconds later. Time passes when nothing else is left to do. */
function world(latencyMs: number) {
  const waits: Array<{ ms: number; pass: () => void }> = []
  const clock: Clock = {
    ...systemClock,
    wait: (ms, signal) =>
      new Promise((resolve, reject) => {
        waits.push({ ms, pass: resolve })
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true })
      })
  }
  const late = clock.wait(latencyMs)
  const modules = {
    clock,
    logger: silentLogger,
    registry: {
      ownerPin: () => undefined,
      isClosed: () => false,
      async *entries() {
        // Nothing of the name is here.
      },
      versions: async () => [],
      status: () => undefined,
      statements: async () => [],
      add: async () => undefined
    },
    content: {},
    policies: MANUAL,
    blocking: nothingBlocked,
    topology: asGiven,
    network: {
      connected: () => ['fast', 'slow'],
      async *holders() {
        yield { peerId: 'fast', source: 'dht', ageMs: 0 }
        yield { peerId: 'slow', source: 'dht', ageMs: 0 }
      },
      async releases(_wanted: unknown, peerId: string) {
        if (peerId === 'fast') return { releases: [demoRecord(MALLORY)], statements: [] }
        await late
        return { releases: [demoRecord(ALICE)], statements: [] }
      }
    }
  }
  async function resolve(publisher?: Uint8Array) {
    const request = { spec: 'demo', network: true }
    const resolving = resolveRelease(
      modules as unknown as ResolvingModules,
      publisher === undefined ? request : { ...request, publisher: formatPublicKey(publisher) },
      LONG
    )
    await Promise.race([resolving, eventually(() => waits.length >= 2)])
    waits.sort((a, b) => a.ms - b.ms)[0]!.pass()
    return await resolving
  }
  return { resolve }
}

describe('the owner of a name that is not pinned', () => {
  it('is not whoever answers fastest', async () => {
    await expect(world(1000).resolve()).rejects.toMatchObject({
      code: 'OWNER_AMBIGUOUS',
      details: { owners: { length: 2 } }
    })
  })

  it('does not wait for a silent peer for ever', async () => {
    expect((await world(MINUTE_MS).resolve()).record.release.owner).toEqual(MALLORY.publicKey)
  })

  it('costs nothing more where it is given', async () => {
    expect((await world(1000).resolve(MALLORY.publicKey)).holders).toMatchObject([{ peerId: 'fast' }])
  })
})
