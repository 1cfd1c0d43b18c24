/**
 * Networks of many nodes, to be hurt on purpose and watched, in the order in which one reads them: `network/` plans a network as
 * data; `drivers/` make a plan real through one interface, by namespaces of this machine or by containers; `faults/` hurt what runs, always to be
 * taken back; `scenarios/` are what may happen step by step, and what is to hold then; `report/` tells what came of it, and `baseline/` whether it is
 * worse than in earlier runs; `soak/` is a scenario of hours, and judges what became of it; `links/` is the bad link between two namespaces, in user space, which tests and benchmarks use alone too; `simulator/` needs no machine at all:
 * nodes with a virtual clock, network and disk. Plans and seeds come in, processes on a network come out. What runs here is
 * the program as users run it: nothing of the product knows of this folder.
 */
export * from './baseline/index.ts'
export * from './drivers/index.ts'
export * from './faults/index.ts'
export { whyNoLink } from './links/compile.ts'
export { Link, type LinkEnds } from './links/link.ts'
export { LinkedHosts } from './links/linked-hosts.ts'
export type { Host } from './links/namespace.ts'
export type { LinkCounts, LinkSettings } from './links/settings.ts'
export {
  type ContentCopies,
  type HeldCopy,
  type HoldingNode,
  placementFault,
  takeFault
} from './mirror-invariants.ts'
export * from './network/index.ts'
export * from './report/index.ts'
export * from './scenarios/index.ts'
export * from './simulator/index.ts'
export * from './soak/index.ts'
export { allSaid, nodeSaid } from './watch.ts'
