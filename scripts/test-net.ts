/**
 * `npm run test:net`: the slow tests (namespaces, crash rounds) with vitest, then libp2p's compliance suites, which are
 * written for mocha. Both always run, so that one report tells everything; exits 1 when either fails.
 */
import { spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'

const ROOT = resolve(import.meta.dirname, '..')

function passes(script: string, args: string[]): boolean {
  const { status } = spawnSync(process.execPath, [join(ROOT, 'node_modules', script), ...args], {
    cwd: ROOT,
    stdio: 'inherit'
  })
  return status === 0
}

if (process.getuid?.() !== 0)
  console.log('not root: tests that need network namespaces are skipped and say so')
const results = [
  passes('vitest/vitest.mjs', ['run', 'test/net', '--no-file-parallelism', '--passWithNoTests']),
  passes('mocha/bin/mocha.js', [
    '--exit',
    '--reporter',
    'scripts/mocha-counts.cjs',
    'test/compliance/*.spec.ts'
  ])
]
if (results.includes(false)) process.exitCode = 1
