/** What makes a plan real. `driver.ts` says what a driver promises. */
export { driverNamed, driverOf } from './choose.ts'
export { composeDriver } from './compose/driver.ts'
export * from './driver.ts'
export { netnsDriver } from './netns/driver.ts'
export { defaultFolder, type NetworkState, readState, writeState } from './state.ts'
