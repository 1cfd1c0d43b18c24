/**
 * `npm run bench -- update`: a consumer that holds one version of a real package fetches the next one: which bytes move, beside
 * the archive that npm would download. The packages come from the npm registry; where that cannot be reached, the
 * pair is a package of node_modules/ and a copy with a line more in its largest file, and the report says so.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { startNetwork } from './support/network.ts'
import { type Row, report, round } from './support/report.ts'
import { filesOf, sizeOf } from './support/tools.ts'

const PACKAGE = 'typescript'
const VERSIONS = ['5.7.2', '5.7.3'] as const
const LOCAL_PACKAGE = resolve(import.meta.dirname, '..', 'node_modules', 'fast-check')

interface Pair {
  source: string
  folders: [string, string]
  /** What a package manager would download for the second; 0 when there is no archive. */
  archiveBytes: number
}

interface Fetched {
  bytesFetched: number
  bytesReused: number
  sources: Array<{ bytes: number }>
}

export const run = async (): Promise<void> => {
  const network = await startNetwork()
  const { publisher, consumer, root } = network
  try {
    const pair = fromRegistry(join(root, 'npm')) ?? fromNodeModules(join(root, 'local'))
    const rows: Row[] = []
    for (const [index, folder] of pair.folders.entries()) {
      const spec = `update@1.0.${index}`
      await publisher.cli.json(
        'publish',
        folder,
        '--name',
        'update',
        '--version',
        `1.0.${index}`,
        '--wait',
        '1'
      )
      const began = performance.now()
      const fetched = await consumer.api.operate<Fetched>('/v1/fetches', { spec })
      const wallMs = performance.now() - began
      const sizeBytes = sizeOf(folder)
      const wireBytes = fetched.sources.reduce((sum, { bytes }) => sum + bytes, 0)
      rows.push({
        name: index === 0 ? 'first version' : 'update',
        wallMs: round(wallMs),
        files: filesOf(folder).length,
        'size MB': round(sizeBytes / 1e6, 2),
        'new MB': round(fetched.bytesFetched / 1e6, 2),
        'new %': round((fetched.bytesFetched / sizeBytes) * 100, 1),
        'wire MB': round(wireBytes / 1e6, 2),
        'wire / new': fetched.bytesFetched === 0 ? 0 : round(wireBytes / fetched.bytesFetched, 3)
      })
    }
    if (pair.archiveBytes > 0)
      rows.push({
        name: 'archive of the second version (.tgz)',
        'wire MB': round(pair.archiveBytes / 1e6, 2)
      })
    report('update', { pair: pair.source }, rows)
  } finally {
    await network.close()
  }
}

/** Undefined when the registry cannot be reached. */
const fromRegistry = (folder: string): Pair | undefined => {
  mkdirSync(folder, { recursive: true })
  const folders: string[] = []
  let archive = ''
  for (const version of VERSIONS) {
    const packed = spawnSync('npm', [
      'pack',
      `${PACKAGE}@${version}`,
      '--silent',
      '--pack-destination',
      folder
    ])
    if (packed.status !== 0) return undefined
    archive = join(folder, `${PACKAGE}-${version}.tgz`)
    const target = join(folder, version)
    mkdirSync(target)
    if (spawnSync('tar', ['-xzf', archive, '-C', target]).status !== 0) return undefined
    folders.push(join(target, 'package'))
  }
  return {
    source: `${PACKAGE} ${VERSIONS.join(' and ')} from the npm registry`,
    folders: folders as [string, string],
    archiveBytes: statSync(archive).size
  }
}

const fromNodeModules = (folder: string): Pair => {
  const folders: [string, string] = [join(folder, 'one'), join(folder, 'two')]
  for (const target of folders) cpSync(LOCAL_PACKAGE, target, { recursive: true })
  const [largest] = filesOf(folders[1]).toSorted((a, b) => statSync(b).size - statSync(a).size)
  const bytes = readFileSync(largest!)
  const middle = bytes.indexOf(0x0a, bytes.length / 2) + 1
  writeFileSync(
    largest!,
    Buffer.concat([bytes.subarray(0, middle), Buffer.from('// one line more\n'), bytes.subarray(middle)])
  )
  return { source: 'fast-check of node_modules/ and a copy with a line more', folders, archiveBytes: 0 }
}
