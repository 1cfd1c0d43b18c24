/**
 * `npm run test:net`: the slow tests (namespaces, crash rounds) with vitest, then libp2p's compliance suites, which are
 * written for mocha. All of them always run, so that one report tells everything; exits 1 when one fails.
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')
/** They compare times, rates or memory within a run: another one beside them would be in the figures. The others mostly wait. */
const ALONE = ['bad-links', 'eventloop', 'lossy-source', 'memory', 'testnet', 'transport']

function passes(script: string, args: string[]): boolean {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: 'inherit'
  })
  return status === 0
}

if (process.getuid?.() !== 0)
  console.log('not root: tests that need network namespaces are skipped and say so')
const files = globSync('test/net/*.test.ts', { cwd: ROOT })
const isAlone = (file: string): boolean => ALONE.some(name => file.endsWith(`/${name}.test.ts`))
const results = [
  passes('vitest/vitest.mjs', ['run', ...files.filter(file => !isAlone(file)), '--maxWorkers=2']),
  passes('vitest/vitest.mjs', ['run', ...files.filter(isAlone), '--no-file-parallelism']),
  passes('mocha/bin/mocha.js', [
    '--exit',
    '--reporter',
    'scripts/mocha-counts.cjs',
    'test/compliance/*.spec.ts'
  ])
]
if (results.includes(false)) process.exitCode = 1
