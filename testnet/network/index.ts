/** Networks as data. */
export * from './plan.ts'
export { wavesOf } from './start-order.ts'
export { type NetworkSize, planNetwork } from './topologies.ts'
