import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { openKeyring, toKeyItem } from './keyring.ts'

export const run = defineCommand(async context => {
  const keyring = await openKeyring(context)
  const keys = (await keyring.list()).map(toKeyItem)
  context.output.result({ keys }, () =>
    formatTable(
      ['NAME', 'PUBLIC KEY', 'ENCRYPTED', 'CREATED', ''],
      keys.map(key => [
        key.name,
        key.publicKey,
        key.encrypted ? 'yes' : 'no',
        key.createdAt,
        key.default ? 'default' : ''
      ])
    )
  )
})
