import type { Attributes } from '@opentelemetry/api'

/** How spans name a release. They go to the collector of this node's operator, names of closed libraries too. */
export const releaseAttributes = ({ name, version }: { name: string; version: string }): Attributes => ({
  'catalog.release.name': name,
  'catalog.release.version': version
})
