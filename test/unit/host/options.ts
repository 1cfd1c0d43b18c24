import { loadConfig } from '../../../config/index.ts'
import type { HostOptions } from '../../../node/host/index.ts'
import { hostOptions } from '../../../node/host-options.ts'

export const LOOPBACK = '/ip4/127.0.0.1/udp/0/quic-v1'

/** A host as configured by default, but on loopback, and asking nothing of the network around the machine. */
export const LOOPBACK_OPTIONS: HostOptions = {
  ...hostOptions(loadConfig().values),
  listen: [LOOPBACK],
  mdns: false,
  portMapping: false
}
