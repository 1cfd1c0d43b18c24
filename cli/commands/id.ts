import type { Identity } from '../client/types.ts'
import { formatFields } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const identity = await context.client().request<Identity>('GET', '/v1/id', { signal: context.signal })
  context.output.result(identity, () =>
    formatFields([
      ['peer id', identity.peerId],
      ['public key', identity.publicKey],
      ['addresses', identity.addresses]
    ])
  )
})
