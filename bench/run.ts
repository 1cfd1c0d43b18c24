import { readFile } from 'node:fs/promises'

/**
 * `npm run bench -- NAME [options]`: one benchmark, its figures as JSON in .bench/NAME.json and a table on stdout.
 * Machines are shared and noisy: each benchmark measures its own floor in the same run, and only the ratio travels.
 */
const BENCHMARKS: Record<string, () => Promise<{ run(args: string[]): Promise<void> }>> = {
  api: () => import('./api.ts'),
  bundle: () => import('./bundle.ts'),
  clone: () => import('./clone.ts'),
  eventloop: () => import('./eventloop.ts'),
  follow: () => import('./follow.ts'),
  idle: () => import('./idle.ts'),
  ingest: () => import('./ingest.ts'),
  install: () => import('./install.ts'),
  link: () => import('./link.ts'),
  memory: () => import('./memory.ts'),
  mirror: () => import('./mirror.ts'),
  read: () => import('./read.ts'),
  recovery: () => import('./recovery.ts'),
  store: () => import('./store.ts'),
  sync: () => import('./sync.ts'),
  transfer: () => import('./transfer.ts'),
  tree: () => import('./tree.ts'),
  update: () => import('./update.ts')
}

const USAGE = `usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [options]; NAME --help says what it measures; --quick: less of it, where a benchmark has that\n`

/** What stands at the head of a benchmark: how it is called, and what it measures. */
async function helpOf(name: string): Promise<string> {
  const source = await readFile(new URL(`./${name}.ts`, import.meta.url), 'utf8')
  const comment = source.slice(source.indexOf('/**') + '/**'.length, source.indexOf('*/'))
  return `${comment.replaceAll(/^ *\* ?/gm, '').trim()}\n`
}

const isHelp = (arg = ''): boolean => arg === '--help' || arg === '-h'

const [name = '', ...args] = process.argv.slice(2)
const load = Object.hasOwn(BENCHMARKS, name) ? BENCHMARKS[name] : undefined
if (isHelp(name)) process.stdout.write(USAGE)
else if (load === undefined) {
  process.stderr.write(USAGE)
  process.exitCode = 2
} else if (args.some(isHelp)) process.stdout.write(await helpOf(name))
else {
  const benchmark = await load()
  await benchmark.run(args)
}
