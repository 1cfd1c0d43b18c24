/** Prints `N passed, N failed, N skipped`, summed over the reports in the folder given: the last line of .ci/run. */
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** What vitest's JSON reporter writes; mocha-counts.cjs uses the same names. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests?: number
  /** Of vitest: false also when a file failed before it had tests. */
  readonly success?: boolean
}

const folder = process.argv[2]
if (folder === undefined) throw new Error('usage: node scripts/test-sum.ts FOLDER')
let [passed, failed, skipped] = [0, 0, 0]
for (const name of globSync('*.json', { cwd: folder })) {
  const report = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Report
  passed += report.numPassedTests
  failed += report.success === false ? Math.max(1, report.numFailedTests) : report.numFailedTests
  skipped += report.numPendingTests + (report.numTodoTests ?? 0)
}
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
