/** What an outsider hears of a closed library without asking: nothing, from the writer as from a follower. */
import { peerIdFromString } from '@libp2p/peer-id'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { decodeHead } from '../../sync/index.ts'
import { eventually, type TestDaemon } from '../daemon/support.ts'
import { answerTo } from './support/asking.ts'
import { keysOf, QUESTIONS } from './support/questions.ts'
import { hex, type RawPeer } from './support/raw-peer.ts'
import { createScene, type Scene, SHOP, TEAM } from './support/scene.ts'

let scene: Scene
beforeAll(async () => {
  scene = await createScene()
})
afterAll(() => scene?.destroy())

it('is not told that the library is watched', async () => {
  const { outsider, member, closed, open } = scene
  const library = hex(closed.library)
  await eventually(() => member.heard.watched.has(library))
  await eventually(() => outsider.heard.watched.has(hex(open.library)))
  expect([...outsider.heard.watched]).not.toContain(library)
})

it('is asked to keep no key that follows from what it knows of the library', async () => {
  const { outsider, closed, open } = scene
  const [openName = '', openRelease = ''] = keysOf(open).map(hex)
  await eventually(() => outsider.heard.keys.has(openName) && outsider.heard.keys.has(openRelease))
  const known = new Set(keysOf(closed).map(hex))
  expect([...outsider.heard.keys].filter(key => known.has(key))).toEqual([])
})

/** Libraries whose heads a peer was told. */
const toldOf = ({ heard }: RawPeer): string[] =>
  [...heard.heads].map(head => hex(decodeHead(Uint8Array.from(Buffer.from(head, 'hex'))).library))

it('is told no head of the library when it changes, though it said that it watches it', async () => {
  const { outsider, member, writer, closed, open } = scene
  const watch = { ...QUESTIONS.find(({ name }) => name === 'heads.watch of its id')! }
  for (const [peer, subject] of [
    [outsider, closed],
    [member, closed]
  ] as const)
    for (const daemon of [writer, scene.follower]) await answerTo(watch, peer, daemon, subject)
  const files = { 'readme.md': 'newer' }
  await writer.publish({ name: 'team-tools', version: '2.0.0', files, library: TEAM })
  await eventually(() => toldOf(member).includes(hex(closed.library)))
  // What the outsider may know of comes later and takes the same way.
  await answerTo(watch, outsider, writer, open)
  await writer.publish({ name: 'shop-tools', version: '2.0.0', files, library: SHOP })
  await eventually(() => toldOf(outsider).includes(hex(open.library)))
  expect(toldOf(outsider)).not.toContain(hex(closed.library))
})

/** All that a node says of itself when somebody connects. */
async function introduction(peer: RawPeer, daemon: TestDaemon) {
  const peerId = peerIdFromString(daemon.peerId)
  const said = await eventually(async () => {
    const { protocols, metadata } = await peer.node.peerStore.get(peerId)
    // Before the other one has said who it is, there are the protocols that it was asked by.
    const agent = metadata.get('AgentVersion')
    return agent !== undefined && { protocols, agent: Buffer.from(agent) }
  })
  const hello = await eventually(() => peer.control.hello(peerId))
  return {
    protocols: [...said.protocols].sort(),
    agent: said.agent.toString(),
    hello: { ...hello, instance: hello.instance.byteLength }
  }
}

it('is introduced to nodes that have it as to one that has nothing', async () => {
  const { net, outsider, writer, follower, control } = scene
  const bystander = await net.start('bystander', { join: writer })
  await outsider.join(bystander)
  const ask = QUESTIONS.find(({ name }) => name === 'records.get of a release')!
  await answerTo(ask, outsider, bystander, control)
  const expected = await introduction(outsider, bystander)
  expect(expected.hello.agent).toMatch(/^catalog\//)
  for (const daemon of [writer, follower]) expect(await introduction(outsider, daemon)).toEqual(expected)
})
