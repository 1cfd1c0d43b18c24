/** A seed, a publisher and a consumer as daemons on loopback in temporary homes, and their process figures. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Catalog, type CatalogPlace, type RunningDaemon } from '../../scripts/quickstart/catalog.ts'
import { AdminApi } from './admin.ts'
import { type ProcessStats, processStats } from './process-stats.ts'

export interface BenchNode {
  cli: Catalog
  daemon: RunningDaemon
  api: AdminApi
  home: string
  stats(): ProcessStats
}

export interface BenchNetwork {
  root: string
  seed: BenchNode
  publisher: BenchNode
  consumer: BenchNode
  /** Starts one more, which joins the others. */
  join(who: string): Promise<BenchNode>
  close(): Promise<void>
}

export const startNetwork = async (): Promise<BenchNetwork> => {
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const seed = await startNode(root, 'seed')
  const { invite } = await seed.cli.json<{ invite: string }>('invite')
  const publisher = await startNode(root, 'publisher', invite)
  const consumer = await startNode(root, 'consumer', invite)
  const nodes = [consumer, publisher, seed]
  return {
    root,
    seed,
    publisher,
    consumer,
    join: async who => {
      const node = await startNode(root, who, invite)
      nodes.unshift(node)
      return node
    },
    close: async () => {
      for (const node of nodes) await stopNode(node)
      rmSync(root, { recursive: true, force: true })
    }
  }
}

export const startNode = async (
  root: string,
  who: string,
  invite?: string,
  place?: CatalogPlace,
  /** What is done with the new home before its daemon starts. */
  prepare: (home: string) => Promise<void> = async () => {}
): Promise<BenchNode> => {
  const home = join(root, who)
  const cli = new Catalog(home, place)
  await cli.json('init', ...(invite === undefined ? [] : ['--join', invite]))
  await prepare(home)
  const daemon = await cli.startDaemon(who)
  return { cli, daemon, home, api: new AdminApi(home), stats: () => processStats(daemon.pid) }
}

export const stopNode = async ({ api, daemon }: BenchNode): Promise<void> => {
  api.close()
  await daemon.stop()
}
