/** The faults that a network can be given, as data: a scenario names them, a schedule draws them from a seed. */
import type { LinkSettings } from '../links/settings.ts'

/** Two regions, and the link between them. */
type Between = { readonly between: readonly [string, string] }
type AtNode = { readonly node: string }

export type Fault =
  | ({ readonly kind: 'latency' } & Between & Pick<LinkSettings, 'delayMs'>)
  | ({ readonly kind: 'loss' } & Between & Pick<LinkSettings, 'lossPercent'>)
  | ({ readonly kind: 'rate' } & Between & Pick<LinkSettings, 'rateMbit'>)
  /** The region reaches no other one. */
  | { readonly kind: 'partition'; readonly region: string }
  | ({ readonly kind: 'kill' } & AtNode)
  | ({ readonly kind: 'pause' } & AtNode)
  /** A stop in good order and a start, perhaps of another program. */
  | ({ readonly kind: 'restart'; readonly program?: string } & AtNode)
  /** Needs a node with a disk of its own (`limits.diskBytes`). */
  | ({ readonly kind: 'disk-full'; readonly leaveBytes: number } & AtNode)
  | ({ readonly kind: 'slow-disk'; readonly diskDelayMs: number } & AtNode)
  | ({ readonly kind: 'clock-skew'; readonly clockOffsetMs: number } & AtNode)
  /** Processes that compute without a pause, in the network and the limits of the node. */
  | ({ readonly kind: 'cpu-pressure'; readonly processes: number } & AtNode)
  /** Bytes of what the node holds are changed at rest; where, the seed says. */
  | ({ readonly kind: 'corrupt-segment'; readonly bytes: number; readonly seed: string } & AtNode)

export type FaultKind = Fault['kind']

/** For people. */
export function describeFault(fault: Fault): string {
  switch (fault.kind) {
    case 'latency':
      return `${fault.delayMs} ms one way between ${fault.between.join(' and ')}`
    case 'loss':
      return `${fault.lossPercent} % of packets lost between ${fault.between.join(' and ')}`
    case 'rate':
      return `${fault.rateMbit} Mbit/s between ${fault.between.join(' and ')}`
    case 'partition':
      return `${fault.region} reaches no other region`
    case 'kill':
      return `${fault.node} is killed`
    case 'pause':
      return `${fault.node} is paused`
    case 'restart':
      return `${fault.node} is restarted${fault.program === undefined ? '' : ` with ${fault.program}`}`
    case 'disk-full':
      return `the disk of ${fault.node} has ${fault.leaveBytes} bytes left`
    case 'slow-disk':
      return `each write of ${fault.node} takes ${fault.diskDelayMs} ms longer`
    case 'clock-skew':
      return `the clock of ${fault.node} is ${fault.clockOffsetMs} ms ahead`
    case 'cpu-pressure':
      return `${fault.processes} processes compute beside ${fault.node}`
    case 'corrupt-segment':
      return `${fault.bytes} bytes of what ${fault.node} holds are changed`
  }
}
