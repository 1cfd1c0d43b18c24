/**
 * Networks for tests and benchmarks: two network namespaces of this machine, joined by a link with delay, rate, loss and
 * reordering that can be changed, cut and restored while processes talk over it. The link is a small C program (link.c) between
 * two tun devices, because kernels without netem can do only rates; it is compiled when it is first needed. Nothing here
 * knows Catalog: commands go in, processes in a namespace come out. It needs Linux, root, `ip` and a C compiler;
 * `whyNoLink()` says which is missing.
 */
export { whyNoLink } from './compile.ts'
export { Link, type LinkEnds } from './link.ts'
export { LinkedHosts } from './linked-hosts.ts'
export {
  type ContentCopies,
  type HeldCopy,
  type HoldingNode,
  placementFault,
  takeFault
} from './mirror-invariants.ts'
export type { Host } from './namespace.ts'
export type { LinkCounts, LinkSettings } from './settings.ts'
export * from './simulator/index.ts'
