/** What makes a plan real. `driver.ts` says what a driver promises. */
export * from './driver.ts'
export { netnsDriver } from './netns/driver.ts'
export { defaultFolder, type NetworkState, readState, writeState } from './state.ts'
