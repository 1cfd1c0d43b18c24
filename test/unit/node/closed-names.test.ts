import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ReleaseRecord } from '../../../library/index.ts'
import { expectConfirmed, expectOpenName, isClosedName } from '../../../node/services/closed-names.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'

const { signal } = new AbortController()
const owner = fc.integer({ min: 0, max: 2 }).map(byte => Uint8Array.of(byte))

test('others are asked for a name exactly when something public is known of it, of the meant owner if of him at all, or nothing', async () => {
  const entries = fc.array(fc.record({ owner, isClosed: fc.boolean() }), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(entries, fc.option(owner, { nil: undefined }), async (known, meant) => {
      const registry = {
        async *entries() {
          yield* known as never[]
        }
      }
      const isOpen = (some: typeof known): boolean => some.some(({ isClosed }) => !isClosed)
      const ofOwner = known.filter(entry => meant === undefined || entry.owner[0] === meant[0])
      const mayAsk = known.length === 0 || (isOpen(known) && (ofOwner.length === 0 || isOpen(ofOwner)))
      const of = { name: 'demo', ...(meant === undefined ? {} : { owner: meant }) }
      expect(await isClosedName(registry, of, signal)).toBe(!mayAsk)
      const asked = expectOpenName(registry, of, signal).then(
        () => true,
        ({ code }) => code !== 'RELEASE_NOT_FOUND'
      )
      expect(await asked).toBe(mayAsk)
    }),
    { seed: 7 }
  )
})

describe('who writes a closed library that is followed has no name by that alone', () => {
  const KEY = SigningKey.generate()
  const confirm = (name: string, { isOwn = false, scope = '' } = {}): Promise<void> => {
    const record = { bytes: new Uint8Array(), release: { name, owner: KEY.publicKey } }
    const registry = {
      isOwn: async () => isOwn,
      isPinnedInScope: async (asked: string) => asked === scope
    }
    return expectConfirmed(registry, record as unknown as ReleaseRecord, signal)
  }

  test.each([
    ['react', {}],
    ['@acme/react', {}],
    ['@acme/react', { scope: '@other' }],
    // A scope is what stands before the slash.
    ['react', { scope: 'react' }]
  ])('not %s, given %j', async (name, given) => {
    await expect(confirm(name, given)).rejects.toMatchObject({
      code: 'OWNER_UNCONFIRMED',
      hint: expect.stringContaining(`--publisher ${formatPublicKey(KEY.publicKey)}`)
    })
  })

  test.each([
    ['react', { isOwn: true }],
    ['@acme/react', { scope: '@acme' }]
  ])('but %s, given %j', async (name, given) => {
    await expect(confirm(name, given)).resolves.toBeUndefined()
  })
})
