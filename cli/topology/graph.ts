import { displayDuration, displayShare, displaySize } from '../../base/index.ts'
import type { TopologyPeer, TopologyReply } from '../client/types.ts'
import { printable } from '../framework/format.ts'

/** More are not told apart in a drawing, and their layout takes minutes. */
export const MAX_DRAWN = 100

type Attributes = Record<string, string | number>

export interface GraphNode {
  readonly name: string
  readonly attributes: Attributes
}

/** As Graphviz takes it. */
export interface Graph {
  readonly name: string
  readonly directed: boolean
  readonly graphAttributes: Attributes
  readonly nodeAttributes: Attributes
  readonly edgeAttributes: Attributes
  readonly nodes: GraphNode[]
  readonly edges: Array<{ tail: string; head: string; attributes: Attributes }>
  readonly subgraphs: Array<{ name: string; graphAttributes: Attributes; nodes: GraphNode[] }>
}

const FONT = 'sans-serif'
/** Names within the drawing; nothing that a stranger wrote is one. */
const SELF = 'self'
const LINES = { direct: 'solid', relayed: 'dashed', away: 'dotted' } as const
/** Health from these on; the words beside say it too. */
const COLOURS = [
  [0.8, '#d7f0d4'],
  [0.5, '#fbeebd'],
  [0, '#f6cfc8']
] as const

/** This node in the middle, its peers around it in their regions: the first of them in the order in which they are asked. */
export function graphOf({ self, peers, strategy }: TopologyReply): Graph {
  const drawn = peers.slice(0, MAX_DRAWN).map((peer, at) => ({ peer, node: nodeOf(peer, at + 1) }))
  const regions = [
    ...Map.groupBy(drawn, ({ peer: { region } }) => `${region.source} ${region.name}`).values()
  ]
  return {
    name: 'topology',
    directed: false,
    graphAttributes: {
      rankdir: 'LR',
      fontname: FONT,
      label: plain(`as seen from here, in the order of ${strategy}`)
    },
    nodeAttributes: {
      shape: 'box',
      style: 'rounded,filled',
      fillcolor: '#ffffff',
      fontname: FONT,
      fontsize: 11
    },
    edgeAttributes: { fontname: FONT, fontsize: 9 },
    nodes: [
      {
        name: SELF,
        attributes: {
          label: plain(`this node\n${self.region ?? shortId(self.peerId)}`),
          tooltip: plain(self.peerId)
        }
      }
    ],
    edges: drawn.map(({ peer, node }) => ({
      tail: SELF,
      head: node.name,
      attributes: {
        label: plain(linkText(peer)),
        style: LINES[peer.connection],
        tooltip: plain(peer.connection)
      }
    })),
    subgraphs: regions.map((members, at) => ({
      name: `cluster_${at}`,
      graphAttributes: {
        label: plain(regionText(members[0]!.peer.region)),
        style: 'rounded',
        color: '#999999'
      },
      nodes: members.map(({ node }) => node)
    }))
  }
}

/** `eu-west` as the peer told it; `(near)` by its round trip. */
export const regionText = ({ name, source }: TopologyPeer['region']): string =>
  source === 'told' ? name : `(${name})`

export const timeText = (ms: number | null): string => (ms === null ? '' : displayDuration(ms))
export const rateText = (bytesPerSecond: number | null): string =>
  bytesPerSecond === null ? '' : `${displaySize(bytesPerSecond)}/s`

function nodeOf(peer: TopologyPeer, place: number): GraphNode {
  const { peerId, health, reasons } = peer
  const fillcolor = COLOURS.find(([from]) => health >= from)?.[1] ?? '#ffffff'
  const tooltip = [peerId, ...reasons.map(({ text }) => text)].join('\n')
  const label = `${place}. ${shortId(peerId)}\nhealth ${displayShare(health)}`
  return { name: `peer${place}`, attributes: { label: plain(label), tooltip: plain(tooltip), fillcolor } }
}

const linkText = ({ roundTripMs, goodput: { down, up } }: TopologyPeer): string =>
  [
    timeText(roundTripMs),
    down === null ? '' : `down ${rateText(down)}`,
    up === null ? '' : `up ${rateText(up)}`
  ]
    .filter(text => text !== '')
    .join('\n')

/** The end of a peer id: all begin alike. */
const shortId = (peerId: string): string => `…${peerId.slice(-8)}`

/** Graphviz reads backslashes as escapes (`\N` is the name of the node), in tooltips even twice: a sign like it stands for each. */
const plain = (text: string): string =>
  text
    .split('\n')
    .map(line => printable(line).replaceAll('\\', '\u2216'))
    .join('\n')
