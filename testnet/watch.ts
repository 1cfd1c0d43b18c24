/** What all nodes of a network say of themselves. */
import type { RunningNetwork, RunningNode } from './drivers/driver.ts'
import type { NodeSaid } from './network/start-check.ts'

/** Throws when the daemon does not answer. */
export async function nodeSaid(node: RunningNode, signal: AbortSignal): Promise<NodeSaid> {
  const status = await node.ask({ method: 'GET', path: '/v1/status' }, signal)
  const readyAtMs = performance.now() - status.json.uptimeMs
  const { json } = await node.ask({ method: 'GET', path: '/v1/peers' }, signal)
  const peers = json.peers.map(({ peerId }: { peerId: string }) => peerId)
  return { name: node.name, peerId: node.peerId, readyAtMs, peers }
}

export async function allSaid(network: RunningNetwork, signal: AbortSignal): Promise<NodeSaid[]> {
  return await Promise.all(network.nodes.map(node => nodeSaid(node, signal)))
}
