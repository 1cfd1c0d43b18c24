import { displayDuration, displaySize, plural } from '../../base/index.ts'
import type { Status } from '../client/types.ts'
import { formatFields } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

/** `operations 1, fetches 0 …`: what waits, and peers that are left alone. */
const queuesOf = ({ queues = {} }: Status): string | undefined => {
  const parts = Object.entries(queues).map(([name, length]) => `${name} ${length}`)
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** In words; nothing is said of a node that only knows its own network. */
function reachabilityOf({ reachability: { state, relays } }: Status): string | undefined {
  if (state === 'relayed') return `through ${plural(relays.length, 'relay')}`
  return { direct: 'directly', unknown: 'not known yet', unreachable: 'no', local: undefined }[state]
}

/** What the network is like when it is not whole, and else what became of the last partition. */
function networkOf({ partition }: Status): string | string[] | undefined {
  if (partition === undefined) return undefined
  const { state, since, lost, of, reasons, last } = partition
  if (state !== 'whole') return [`${state} since ${since}: ${lost} of ${plural(of, 'peer')} lost`, ...reasons]
  if (last === null) return undefined
  return [
    `whole; ${last.kind} from ${last.since} on for ${displayDuration(last.lastedMs)}, noticed after ${displayDuration(last.noticedAfterMs)}`,
    `healed in ${displayDuration(last.healedInMs)}: ${last.returnedPeers} of ${plural(last.lostPeers, 'peer')} back; libraries synced: ${last.syncedLibraries}, queued operations done: ${last.replayedOperations}`
  ]
}

const damagedOf = ({ damaged }: Status['store']): string =>
  damaged === 0 ? '' : `, ${damaged} damaged: run \`catalog verify --all --repair\``

/** `warn no-peers since …: nobody is connected; what to do`. */
const alertText = ({ level, kind, about, since, message, hint }: Status['alerts'][number]): string =>
  `${level} ${[kind, about].filter(Boolean).join(' ')} since ${since}: ${message}; ${hint}`

/** `fetch.atOnce 48, configured 64: tuned from …`. */
const tunedText = ({ key, now, configured, message }: Status['tuned'][number]): string =>
  `${key} ${now}, configured ${configured}: ${message}`

export const run = defineCommand(async context => {
  const status = await context.client().request<Status>('GET', '/v1/status', { signal: context.signal })
  context.output.result(status, () => {
    const { health, alerts, anomalies, tuned, library, store } = status
    return formatFields([
      ['state', status.state],
      ['health', `${health.score}`],
      ['', health.reasons],
      ['alerts', alerts.map(alertText)],
      ['anomalies', (anomalies ?? []).map(({ message }) => message)],
      ['tuned', (tuned ?? []).map(tunedText)],
      ['uptime', displayDuration(status.uptimeMs)],
      ['peers', status.peers],
      ['network', networkOf(status)],
      ['reachable', reachabilityOf(status)],
      [
        'library',
        `published ${library.releases} here, revision ${library.revision}; \`catalog list\` shows all that is known`
      ],
      [
        'store',
        `${displaySize(store.bytes)} of ${displaySize(store.quotaBytes)}, ${plural(store.chunks, 'chunk')}`
      ],
      ['held', `${plural(store.contents, 'content')} whole${damagedOf(store)}`],
      ['memory', displaySize(status.memory.rssBytes)],
      ['queues', queuesOf(status)],
      ['version', status.version]
    ])
  })
  if (status.peers === 0) {
    context.output.note(
      'Connected to nobody: `catalog peers connect ADDR`, or `catalog init --join INVITE` for a new home.'
    )
  }
})
