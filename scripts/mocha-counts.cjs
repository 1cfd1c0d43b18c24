// Mocha's usual reporter, which also leaves its counts in TEST_REPORT_DIR for the sum at the end of .ci/run.
const { writeFileSync } = require('node:fs')
const { join } = require('node:path')
const { Spec } = require('mocha').reporters

module.exports = class extends Spec {
  constructor(runner, options) {
    super(runner, options)
    const folder = process.env.TEST_REPORT_DIR
    if (folder === undefined) return
    runner.once('end', () => {
      const { passes, failures, pending } = runner.stats
      const counts = { numPassedTests: passes, numFailedTests: failures, numPendingTests: pending }
      writeFileSync(join(folder, `mocha-${process.pid}.json`), JSON.stringify(counts))
    })
  }
}
