/** Networks as data. */
export { parseCounts, whyNotFit } from './fits.ts'
export * from './plan.ts'
export { type NodeSaid, startFaults } from './start-check.ts'
export { wavesOf } from './start-order.ts'
export { type NetworkSize, planNetwork } from './topologies.ts'
