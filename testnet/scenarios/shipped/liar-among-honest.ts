import { join } from 'node:path'
import { KIB } from '../../../base/index.ts'
import { action, expectation, type Scenario } from '../scenario.ts'
import { tarOf } from '../tar.ts'

/** A peer with a key of its own that speaks the protocols and lies as told; it is a test's, as no product code can lie. */
const LIAR = join(import.meta.dirname, '..', '..', '..', 'test', 'net', 'support', 'liar.child.ts')
const RELEASE_BYTES = 256 * KIB
/** Of what liars publish. */
const VERSION = '1.0.0'
/** They run from source, which takes a busy machine half a minute to read. */
const LIARS_MS = 240_000
const LIES = ['wrong bytes', 'garbage frames', 'an end in the middle'] as const

/** What the liar says of itself in its first line. */
interface Liar {
  readonly peerId: string
  readonly name: string
  readonly record: string
}

/** Peers that claim to hold a release and send wrong bytes; a consumer gets the right ones from who is honest. */
export const liarAmongHonest: Scenario = {
  name: 'liar-among-honest',
  description:
    'peers claim to hold releases and send wrong bytes: a consumer gets the right ones from who is honest',
  size: { topology: 'mesh', regions: ['eu', 'us'], counts: { seed: 1, publisher: 1, consumer: 2 } },

  steps({ network, work, random }) {
    const [host, consumer] = work.nodes('consumer')
    const publisher = work.node('publisher')
    const liars: Liar[] = []
    const told = LIES.map(lie => ({ lie, data: Buffer.from(random.bytes(RELEASE_BYTES)) }))
    const startLiar = async ({ lie, data }: (typeof told)[number]): Promise<Liar> => {
      const process = await work.beside(host!, ['node', LIAR])
      const name = `lie-${random.below(2 ** 31)}`
      process.write(JSON.stringify({ target: consumer!.address, lie, name, data: data.toString('base64') }))
      const said = await process.lines[Symbol.asyncIterator]().next()
      if (said.done === true) throw new Error('a liar ended before it said anything')
      return JSON.parse(said.value)
    }
    return [
      expectation('all know the network', signal => work.firstFault(network.nodes, work.enoughPeers, signal)),
      action(
        'liars join, and claim to hold releases',
        async () => void liars.push(...(await Promise.all(told.map(startLiar)))),
        LIARS_MS
      ),
      action('an honest publisher has the same releases', async signal => {
        for (const [at, { record }] of liars.entries()) {
          const tar = await tarOf({ 'data.bin': told[at]!.data })
          await work.publishSigned(publisher, { record, tar }, signal)
        }
      }),
      action('a consumer fetches all of them, whole', async signal => {
        const sizeBytes = RELEASE_BYTES
        for (const { name } of liars)
          await work.fetch(consumer!, { name, version: VERSION, content: '', sizeBytes }, signal)
      }),
      expectation('all honest nodes are well', signal => work.firstFault(network.nodes, 1, signal))
    ]
  }
}
