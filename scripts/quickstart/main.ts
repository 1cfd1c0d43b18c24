/**
 * `npm run quickstart`: three daemons on loopback in temporary homes, a real package published by one, found by name
 * through the DHT, fetched, verified and installed by another, and the two folders compared. Everything goes through
 * the command line as a user would use it. Ends with 0 only if every step was true; leaves nothing behind.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { displaySize, plural } from '../../base/index.ts'
import { Catalog, type RunningDaemon } from './catalog.ts'
import { compareFolders } from './compare.ts'
import { chooseFolder } from './folder.ts'
import { Timeline } from './timeline.ts'

interface Published {
  name: string
  version: string
  id: string
  content: string
  sizeBytes: number
  files: number
  announcedTo: number
}
interface Fetched {
  bytesFetched: number
  bytesReused: number
  sources: Array<{ peerId: string; bytes: number }>
  tookMs: number
}
interface Installed {
  installed: Array<{ name: string; version: string; path: string }>
}

const run = async (root: string, timeline: Timeline, daemons: RunningDaemon[]): Promise<void> => {
  const folder = await chooseFolder()
  const home = (who: string): Catalog => new Catalog(join(root, who))
  const [seed, publisher, consumer] = [home('seed'), home('publisher'), home('consumer')]

  const startSeed = timeline.begin('seed: start')
  await seed.json('init')
  daemons.push(await seed.startDaemon('seed'))
  const { invite } = await seed.json<{ invite: string }>('invite')
  startSeed.end('a new network, and an invite to it')

  const startOthers = timeline.begin('publisher, consumer: join')
  for (const [who, catalog] of [
    ['publisher', publisher],
    ['consumer', consumer]
  ] as const) {
    await catalog.json('init', '--join', invite)
    daemons.push(await catalog.startDaemon(who))
  }
  startOthers.end('two more daemons, with nothing but the invite')

  const publish = timeline.begin('publisher: publish')
  const published = await publisher.json<Published>('publish', folder, '--wait', '2')
  const spec = `${published.name}@${published.version}`
  publish.end(
    `${spec}: ${plural(published.files, 'file')}, ${displaySize(published.sizeBytes)}; announced to ${plural(published.announcedTo, 'peer')}`,
    published.sizeBytes
  )

  const find = timeline.begin('consumer: find by name')
  const found = await consumer.json<{ id: string; local: string }>('info', spec)
  if (found.id !== published.id) throw new Error(`found record ${found.id}, published was ${published.id}`)
  if (found.local !== 'none') throw new Error(`the consumer already held the content (${found.local})`)
  find.end(`record ${found.id.slice(0, 16)}… through the DHT, signature verified`)

  const fetch = timeline.begin('consumer: fetch and verify')
  const fetched = await consumer.json<Fetched>('fetch', spec)
  const names = new Map(daemons.map(daemon => [daemon.peerId, daemon.who]))
  const served = fetched.sources.map(
    source => `${names.get(source.peerId) ?? source.peerId} ${displaySize(source.bytes)}`
  )
  if (fetched.bytesFetched === 0) throw new Error('the fetch moved no bytes')
  fetch.end(`served by ${served.join(', ')}`, published.sizeBytes)

  const install = timeline.begin('consumer: install')
  const target = join(root, 'installed')
  const installed = await consumer.json<Installed>('install', spec, '--to', target)
  const path = installed.installed[0]?.path
  if (path === undefined) throw new Error('install named no path')
  install.end(`to ${path.replace(root, '<temporary folder>')}`, published.sizeBytes)

  const compare = timeline.begin('compare the folders')
  const result = await compareFolders(folder, path)
  if (result.differences.length > 0)
    throw new Error(`the folders differ:\n  ${result.differences.slice(0, 20).join('\n  ')}`)
  compare.end(`${result.files} files, ${displaySize(result.bytes)}: every byte and mode equal`, result.bytes)

  const verify = timeline.begin('consumer: verify again')
  const verified = await consumer.json<{ ok: boolean; checked: number; bytes: number }>('verify', spec)
  if (!verified.ok) throw new Error('the store of the consumer does not verify')
  verify.end(`${verified.checked} blocks re-hashed in the store`, verified.bytes)
}

const main = async (): Promise<number> => {
  const root = await mkdtemp(join(tmpdir(), 'catalog-quickstart-'))
  const timeline = new Timeline(process.stdout)
  const daemons: RunningDaemon[] = []
  let interrupted = false
  const onSignal = (): void => {
    interrupted = true
    for (const daemon of daemons) daemon.kill()
  }
  process.once('SIGINT', onSignal)
  process.once('SIGTERM', onSignal)
  let failure: unknown
  try {
    await run(root, timeline, daemons)
  } catch (error) {
    failure = error
  }
  const stop = timeline.begin('stop the daemons')
  const stopped = await Promise.allSettled(daemons.map(daemon => daemon.stop()))
  const unclean = stopped.find(result => result.status === 'rejected')
  failure ??= unclean?.status === 'rejected' ? unclean.reason : undefined
  stop.end('all stopped, temporary folders removed')
  await rm(root, { recursive: true, force: true })
  if (failure === undefined && !interrupted) {
    timeline.summary()
    return 0
  }
  process.stderr.write(`\nquickstart failed: ${failure instanceof Error ? failure.message : 'interrupted'}\n`)
  for (const daemon of daemons)
    if (daemon.diagnostics() !== '') process.stderr.write(`--- ${daemon.who}\n${daemon.diagnostics()}\n`)
  return 1
}

process.exitCode = await main()
