import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { systemClock } from '../../base/index.ts'
import { decodeInvite } from '../../discovery/index.ts'
import { initHome } from '../../node/index.ts'
import { formatFields } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { newPassphrase } from './keyring.ts'

interface Options {
  join?: string
  profile?: string
}

export const run = defineCommand(async (context, _args: [], options: Options) => {
  const invite = options.join === undefined ? undefined : decodeInvite(options.join)
  const passphrase = await newPassphrase(context, true)
  const { home, nodePublicKey, publisher } = await initHome(
    { clock: systemClock },
    {
      root: context.home,
      ...(options.join === undefined ? {} : { invite: options.join }),
      ...(options.profile === undefined ? {} : { settings: { 'network.profile': options.profile } }),
      ...(passphrase === undefined ? {} : { passphrase })
    }
  )
  const peerId = peerIdFromPublicKey(publicKeyFromRaw(nodePublicKey)).toString()
  const joined =
    invite === undefined
      ? undefined
      : { networkId: invite.networkId, addresses: invite.addresses.map(address => address.toString()) }
  context.output.result(
    { home: home.root, peerId, publisher, config: home.config, ...(joined === undefined ? {} : { joined }) },
    () =>
      formatFields([
        ['home', home.root],
        ['peer id', peerId],
        ['publisher', publisher],
        ['config', home.config],
        ['network', joined?.networkId],
        ['joins through', joined?.addresses]
      ])
  )
  context.output.note(
    joined === undefined
      ? 'Next: `catalog daemon` runs the node, then `catalog invite` lets others join it and `catalog publish DIR` publishes.'
      : 'Next: `catalog daemon` runs the node and joins, then `catalog install NAME --to DIR` installs.'
  )
})
