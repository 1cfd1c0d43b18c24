/**
 * A thread with little work, and how late its event loop is for it: what the machine alone does to such a loop, to compare nodes with. One that does
 * nothing would say too little: where more wants to run than there are processors, who has slept is served at once, and who works waits for its turn
 * in the middle of it. Posts the 99th percentile of each minute in milliseconds, as the metric of nodes counts it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parentPort } from 'node:worker_threads'
import { MINUTE_MS } from '../../base/index.ts'

const RESOLUTION_MS = 10
const NANOSECONDS = 1e6
/** So much processor time so often: a tenth of one, in pieces that a good loop is made of. */
const WORK_MICROSECONDS = 10_000
const EVERY_MS = 100

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()

setInterval(() => {
  const { user, system } = process.threadCpuUsage()
  const endAt = user + system + WORK_MICROSECONDS
  for (let spent = 0; spent < endAt; ) {
    const now = process.threadCpuUsage()
    spent = now.user + now.system
  }
}, EVERY_MS)

setInterval(() => {
  // A timer that is on time fires after its resolution.
  parentPort!.postMessage(Math.max(0, delay.percentile(99) / NANOSECONDS - RESOLUTION_MS))
  delay.reset()
}, MINUTE_MS)
