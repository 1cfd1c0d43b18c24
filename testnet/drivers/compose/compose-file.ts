/** The network as a file for Compose. It is JSON, which is YAML, and extends what docker-compose.yml extends as well. */
import { join, resolve } from 'node:path'
import type { NetworkPlan, NodePlan } from '../../network/plan.ts'
import { containerOf, HOME_THERE, ipOf, type Made, pathsOf } from './made.ts'

const ROOT = resolve(import.meta.dirname, '../../..')
const COMMON = { file: join(ROOT, 'testnet/containers/node.yml'), service: 'node' }
const HOOKS = join(ROOT, 'testnet/drivers/hooks.mjs')
/** Where it is in a container. */
const HOOKS_THERE = '/run/catalog-hooks.mjs'
const NETWORK = 'testnet'

/** `argumentsOf` gives those of the daemon of a node. */
export function composeFile(
  plan: NetworkPlan,
  made: Made,
  { folder, argumentsOf }: { folder: string; argumentsOf: (node: NodePlan) => readonly string[] }
): object {
  const services = plan.nodes.map(node => {
    const { home, run } = pathsOf(folder).node(node.name)
    const { memoryBytes, cpus } = node.limits
    return [
      node.name,
      {
        extends: COMMON,
        image: made.nodes[node.name]!.image,
        container_name: containerOf(made, node.name),
        hostname: node.name,
        // Compose replaces what has a dollar sign in it.
        command: ['catalog-start', ...argumentsOf(node)].map(text => text.replaceAll('$', '$$$$')),
        environment: {
          NODE_OPTIONS: `--import ${HOOKS_THERE}`,
          CATALOG_TESTNET_HOOKS: '/run/catalog/hooks.json'
        },
        volumes: [
          `${home}:${HOME_THERE}`,
          `${run}:/run/catalog:ro`,
          `${HOOKS}:${HOOKS_THERE}:ro`,
          // What is started beside a node is named by its path here.
          `${ROOT}:${ROOT}:ro`
        ],
        networks: { [NETWORK]: { ipv4_address: ipOf(plan, made, node.name) } },
        ...(memoryBytes !== undefined && { mem_limit: memoryBytes }),
        ...(cpus !== undefined && { cpus })
      }
    ]
  })
  return {
    services: Object.fromEntries(services),
    networks: { [NETWORK]: { ipam: { config: [{ subnet: `${made.subnet}.0/24` }] } } }
  }
}
