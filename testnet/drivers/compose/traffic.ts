/**
 * Bad links between containers, made in the network namespace of each: the kernel does to packets what in `links/` a program of
 * ours does. Three parts, since no single one can do all of it.
 *
 * - Loss and cuts are rules of nftables for packets that *come in*: dropped where they go out, the sender's system call would
 *   fail, and no sender is told of a packet that is lost on its way. Each side drops what comes from the other.
 * - A rate is a class of the HTB queue at the way out, one for each other region, with a queue of limited length. nftables
 *   names the class (a packet's priority). Each node has the whole rate to itself; a link that nodes share is not made here.
 * - Delay is netem in that class, for which not every kernel has the module.
 */
import type { LinkSettings } from '../../links/settings.ts'

const TABLE = 'catalog_testnet'
/** Of a container that has one network. */
const DEVICE = 'eth0'
/** HTB shares by this many bytes at a time: one full packet. */
const QUANTUM_BYTES = 1514
/** Faster than anything here: a class that has only a delay. */
const UNLIMITED_MBIT = 10_000
/** A class may send that much at once, and its queue holds it. */
const MIN_BURST_BYTES = 64 * 1024
/** The loss as nftables says it: so many of a million. */
const PARTS = 1_000_000
/** netem counts in packets. */
const QUEUE_PACKETS = 10_000

/** What a node's packets to and from one other region meet. */
export interface Way {
  /** Of the nodes there. */
  readonly addresses: readonly string[]
  readonly settings: LinkSettings
  readonly isCut: boolean
}

const isShaped = ({ settings: { rateMbit, delayMs } }: Way): boolean => rateMbit > 0 || delayMs > 0
/** Class 1 is what everything else takes. */
const classOf = (at: number): string => `1:${(at + 2).toString(16)}`

/** For `nft -f -`: puts these rules in place of those before, in one step. */
export function filterRules(ways: readonly Way[]): string {
  const incoming = ways.flatMap(({ addresses, settings: { lossPercent }, isCut }) => {
    const from = `ip saddr { ${addresses.join(', ')} }`
    if (isCut) return [`${from} drop`]
    if (lossPercent === 0) return []
    return [`${from} numgen random mod ${PARTS} < ${Math.round((lossPercent / 100) * PARTS)} drop`]
  })
  const outgoing = ways.flatMap((way, at) =>
    isShaped(way) ? [`ip daddr { ${way.addresses.join(', ')} } meta priority set ${classOf(at)}`] : []
  )
  return [
    // Deleting what is not there is an error, and adding what is there is none.
    `add table inet ${TABLE}`,
    `delete table inet ${TABLE}`,
    `table inet ${TABLE} {`,
    'chain incoming { type filter hook input priority 0; policy accept;',
    ...incoming,
    '}',
    'chain outgoing { type filter hook output priority 0; policy accept;',
    ...outgoing,
    '}',
    '}',
    ''
  ].join('\n')
}

/** For `tc -batch -`, on a device without a queue of ours. Empty when nothing is slower than it is. */
export function queueCommands(ways: readonly Way[]): string {
  const shaped = ways.flatMap((way, at) => (isShaped(way) ? [queueOf(way, classOf(at))] : []))
  if (shaped.length === 0) return ''
  return [`qdisc add dev ${DEVICE} root handle 1: htb`, ...shaped.flat(), ''].join('\n')
}

export const REMOVE_QUEUES = `qdisc del dev ${DEVICE} root\n`

function queueOf({ settings }: Way, id: string): string[] {
  const { delayMs } = settings
  const rateMbit = settings.rateMbit > 0 ? settings.rateMbit : UNLIMITED_MBIT
  const bytesPerMs = (rateMbit * 1e6) / 8 / 1000
  const burst = Math.round(Math.max(MIN_BURST_BYTES, bytesPerMs))
  const queueBytes = Math.round(settings.queueBytes ?? Math.max(MIN_BURST_BYTES, bytesPerMs * delayMs))
  const rate = `${Math.round(rateMbit * 1000)}kbit`
  const leaf = `qdisc add dev ${DEVICE} parent ${id}`
  return [
    `class add dev ${DEVICE} parent 1: classid ${id} htb rate ${rate} ceil ${rate} burst ${burst} cburst ${burst} quantum ${QUANTUM_BYTES}`,
    delayMs > 0
      ? `${leaf} netem limit ${QUEUE_PACKETS} delay ${delayMs}ms`
      : `${leaf} bfifo limit ${queueBytes}`
  ]
}
