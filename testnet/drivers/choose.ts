/** The drivers by their names. */
import { CatalogError } from '../../base/index.ts'
import { composeDriver } from './compose/driver.ts'
import { DRIVERS, type Driver, type DriverName } from './driver.ts'
import { netnsDriver } from './netns/driver.ts'
import { readState } from './state.ts'

const BY_NAME: Readonly<Record<DriverName, Driver>> = { netns: netnsDriver, compose: composeDriver }

/** Throws INVALID_ARGUMENT for what is no driver, and UNSUPPORTED where it cannot run. */
export function driverNamed(name: string): Driver {
  const known = DRIVERS.find(one => one === name)
  if (known === undefined)
    throw new CatalogError('INVALID_ARGUMENT', `${name} is no driver; there are ${DRIVERS.join(' and ')}`)
  const driver = BY_NAME[known]
  const why = driver.whyNot()
  if (why !== undefined) throw new CatalogError('UNSUPPORTED', `the driver ${name} cannot run here: ${why}`)
  return driver
}

/** The driver of the network in a folder; undefined when there is none. */
export function driverOf(folder: string): Driver | undefined {
  const state = readState(folder)
  return state === undefined ? undefined : driverNamed(state.driver)
}
