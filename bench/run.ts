/**
 * `npm run bench -- NAME [options]`: one benchmark, its figures as JSON in .bench/NAME.json and a table on stdout.
 * Machines are shared and noisy: each benchmark measures its own floor in the same run, and only the ratio travels.
 */
const BENCHMARKS: Record<string, () => Promise<{ run(args: string[]): Promise<void> }>> = {
  clone: () => import('./clone.ts'),
  eventloop: () => import('./eventloop.ts'),
  follow: () => import('./follow.ts'),
  idle: () => import('./idle.ts'),
  ingest: () => import('./ingest.ts'),
  install: () => import('./install.ts'),
  link: () => import('./link.ts'),
  memory: () => import('./memory.ts'),
  read: () => import('./read.ts'),
  store: () => import('./store.ts'),
  sync: () => import('./sync.ts'),
  transfer: () => import('./transfer.ts'),
  tree: () => import('./tree.ts'),
  update: () => import('./update.ts')
}

const [name, ...args] = process.argv.slice(2)
const load = name === undefined ? undefined : BENCHMARKS[name]
if (load === undefined) {
  process.stderr.write(`usage: npm run bench -- ${Object.keys(BENCHMARKS).join('|')} [--quick]\n`)
  process.exitCode = 2
} else {
  const benchmark = await load()
  await benchmark.run(args)
}
