import type { Clock } from '../base/index.ts'
import { configTemplate, setConfigValue } from '../config/index.ts'
import { decodeInvite } from '../discovery/index.ts'
import { createNodeKey, formatPublicKey, Keyring, loadNodeKey, type NodeKey } from '../trust/index.ts'
import { createHome } from './home/home.ts'
import { type HomeLayout, modeOf } from './home/layout.ts'

export interface InitOptions {
  root: string
  /** Of an existing node; its network and addresses go into the config. */
  invite?: string
  /** Settings that differ from the defaults, as after `--set`: they go into the config. */
  settings?: Readonly<Record<string, string>>
  /** Seals the publisher key. */
  passphrase?: string
}

export interface InitResult {
  home: HomeLayout
  /** Raw public key of the node. */
  nodePublicKey: Uint8Array
  /** Public key of the publisher key `default`, as text. */
  publisher: string
}

/** Name of the publisher key that a new home gets. */
const FIRST_KEY = 'default'

/**
 * Makes a home: node key, publisher key, config with comments. Without a daemon. HOME_EXISTS; INVITE_INVALID and the
 * config's own errors before anything is written.
 */
export async function initHome(modules: { clock: Clock }, options: InitOptions): Promise<InitResult> {
  const { root, invite, settings = {}, passphrase } = options
  let nodeKey: NodeKey | undefined
  let publisher = ''
  const home = await createHome(root, {
    configText: configText({ ...settingsOfInvite(invite), ...settings }),
    async makeKeys(layout) {
      nodeKey = await existingOrNewNodeKey(layout)
      publisher = await existingOrNewPublisher(modules, layout, passphrase)
    }
  })
  return { home, nodePublicKey: nodeKey!.key.publicKey, publisher }
}

function configText(settings: Readonly<Record<string, string>>): string {
  return Object.entries(settings).reduce(
    (text, [key, value]) => setConfigValue(text, key, value),
    configTemplate()
  )
}

function settingsOfInvite(text: string | undefined): Record<string, string> {
  if (text === undefined) return {}
  const { networkId, addresses } = decodeInvite(text)
  return { 'network.id': networkId, 'network.bootstrap': addresses.join(',') }
}

/** An earlier making of this home may have been cut off after its key: a key is never thrown away. */
async function existingOrNewNodeKey({ nodeKey }: HomeLayout): Promise<NodeKey> {
  return (await modeOf(nodeKey)) === undefined ? await createNodeKey(nodeKey) : await loadNodeKey(nodeKey)
}

async function existingOrNewPublisher(
  modules: { clock: Clock },
  { keyring: folder }: HomeLayout,
  passphrase?: string
): Promise<string> {
  const keyring = await Keyring.open(modules, { folder })
  if ((await keyring.defaultName()) === undefined)
    await keyring.create(FIRST_KEY, passphrase === undefined ? {} : { passphrase })
  return formatPublicKey((await keyring.info()).publicKey)
}
