/**
 * A thread that does nothing and says how late its event loop is: what the machine alone does to a loop, to be taken off what nodes
 * show. Posts the 99th percentile of each minute in milliseconds, as the metric of nodes counts it.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parentPort } from 'node:worker_threads'
import { MINUTE_MS } from '../../base/index.ts'

const RESOLUTION_MS = 10
const NANOSECONDS = 1e6

const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
delay.enable()
setInterval(() => {
  // A timer that is on time fires after its resolution.
  parentPort!.postMessage(Math.max(0, delay.percentile(99) / NANOSECONDS - RESOLUTION_MS))
  delay.reset()
}, MINUTE_MS)
