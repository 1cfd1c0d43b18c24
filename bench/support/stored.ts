import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CID } from 'multiformats/cid'
import type { NewRelease } from '../../library/index.ts'
import type { BenchNode } from './network.ts'

export type Stored = Pick<NewRelease, 'content' | 'sizeBytes' | 'files'>

/** A content that new releases of a node may name, published as one release. */
export const storedBy = async ({ cli }: BenchNode, root: string): Promise<Stored> => {
  const folder = join(root, 'content')
  mkdirSync(folder)
  writeFileSync(join(folder, 'readme.md'), 'a release of a benchmark')
  const args = ['--name', 'first', '--version', '1.0.0', '--wait', '0']
  const { content, sizeBytes, files } = await cli.json<Stored & { content: string }>(
    'publish',
    folder,
    ...args
  )
  return { content: CID.parse(content), sizeBytes, files }
}
