/** The scenarios that `npm run testnet -- run NAME` knows. A new one is a file here and a line below. */
import type { Scenario } from '../scenario.ts'
import { everythingKilled } from './everything-killed.ts'
import { flashCrowd } from './flash-crowd.ts'
import { liarAmongHonest } from './liar-among-honest.ts'
import { partitionAndHeal } from './partition-and-heal.ts'
import { publishStorm } from './publish-storm.ts'
import { randomFaults } from './random-faults.ts'
import { regionLoss } from './region-loss.ts'
import { rollingRestart } from './rolling-restart.ts'
import { seedLost } from './seed-lost.ts'
import { slowDisk } from './slow-disk.ts'

export const SCENARIOS: readonly Scenario[] = [
  publishStorm,
  flashCrowd,
  regionLoss,
  rollingRestart,
  slowDisk,
  partitionAndHeal,
  liarAmongHonest,
  seedLost,
  everythingKilled,
  randomFaults
]
