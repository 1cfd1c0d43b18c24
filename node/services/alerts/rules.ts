/**
 * What an operator must act on: one row for each kind of alert, and docs/alerts.md is made from it. A rule looks at the state of the node and gives
 * a sign for each thing that is not well; from signs that last follow alerts (alert-steps.ts). Between the mark at which an alert is
 * raised and the one at which it is cleared a sign is `isBad: false`: it keeps an alert that is there and raises none, so that
 * a value which moves about its limit raises one alert and not twenty.
 */
import { displaySize, GIB, HOUR_MS, MINUTE_MS, plural } from '../../../base/index.ts'
import { DISK_HEADROOM_BYTES } from '../../../library/index.ts'
import type { PartitionState } from '../../../topology/index.ts'
import { clockCheck, LOW_DISK_BYTES } from '../machine-checks.ts'

export const ALERT_KINDS = [
  'store-full',
  'quota-refusals',
  'disk-full',
  'disk-low',
  'disk-failing',
  'content-damaged',
  'bucket-stuck',
  'clock-wrong',
  'no-peers',
  'partitioned',
  'announcements-late',
  'library-not-followed',
  'peer-denied'
] as const
export type AlertKind = (typeof ALERT_KINDS)[number]

/** error: something does not work, or data is at risk; warn: it will come to that, or a part of the network is out of reach. */
export type AlertLevel = 'error' | 'warn'

/** What the rules look at. Plain data. */
export interface AlertState {
  readonly nowMs: number
  readonly store: { readonly bytes: number; readonly quotaBytes: number }
  readonly freeBytes: number
  /** Contents that were whole and lack a block. */
  readonly damaged: number
  /** Errors of the last ERROR_WINDOW_MS by code: how often, and with how many peers. */
  readonly errors: (code: string) => { readonly times: number; readonly peers: number }
  /** Why the last step to the bucket failed, and what waits for it; absent when it did not fail, and without a bucket. */
  readonly bucketProblem?: { readonly code: string; readonly backlogBytes: number } | undefined
  readonly peers: number
  /** 0: the node is to be alone. */
  readonly peersWanted: number
  /** Of the network, as seen from here. */
  readonly partition: Pick<PartitionState, 'name' | 'reasons'>
  readonly announcementsLateMs: number
  /** Standing subscriptions whose last comparison failed. */
  readonly notFollowed: ReadonlyArray<{ readonly address: string; readonly code: string }>
  /** Peers that are denied for repeated violations. */
  readonly denied: readonly string[]
}

/** Something that is not well. */
export interface Sign {
  /** Which library or peer, where there may be several. */
  readonly about?: string
  /** Bad enough to raise an alert; else only to keep one. */
  readonly isBad: boolean
  readonly message: string
}

export interface AlertRule {
  readonly level: AlertLevel
  /** When it is raised, for docs/alerts.md. */
  readonly when: string
  /** What to do about it. */
  readonly hint: string
  /** It must be bad for so long first. */
  readonly afterMs: number
  readonly look: (state: AlertState) => readonly Sign[]
}

/** How far back errors are counted. */
export const ERROR_WINDOW_MS = HOUR_MS
/** Shares of the quota; a collection begins well below (`store.highWater`), so that this much is what nothing may let go of. */
const STORE_FULL = 0.95
const STORE_WELL = 0.9
/** Refusals within the hour that are no accident. */
const MANY_REFUSALS = 3
/** Above its mark a disk must have so much more before it counts as well. */
const DISK_WELL_BYTES = GIB / 4
/** Peers whose records seem to come from the future, before it is this clock that is believed to be wrong. */
const EARLY_PEERS = 3
/** Claims last 25 h and are announced anew after 22: an hour is a third of what there is. */
const LATE_MS = HOUR_MS
const LATE_WELL_MS = HOUR_MS / 2

const one = (isThere: boolean, isBad: boolean, message: () => string): readonly Sign[] =>
  isThere ? [{ isBad, message: message() }] : []

export const ALERT_RULES: Readonly<Record<AlertKind, AlertRule>> = {
  'store-full': {
    level: 'warn',
    when: 'the store holds 95 % of `store.quota`, until it holds less than 90 %',
    hint: 'raise store.quota, or let go of something: `catalog content list` says why each content stays',
    afterMs: MINUTE_MS,
    look: ({ store: { bytes, quotaBytes } }) =>
      one(
        quotaBytes > 0 && bytes >= STORE_WELL * quotaBytes,
        bytes >= STORE_FULL * quotaBytes,
        () => `the store holds ${displaySize(bytes)} of ${displaySize(quotaBytes)}`
      )
  },
  'quota-refusals': {
    level: 'warn',
    when: 'QUOTA_EXCEEDED three times within an hour, until there was none for an hour',
    hint: 'raise store.quota, or unpin or remove something; `catalog log --errors` says for what there was no room',
    afterMs: 0,
    look: ({ errors }) => {
      const { times } = errors('QUOTA_EXCEEDED')
      return one(
        times > 0,
        times >= MANY_REFUSALS,
        () => `${plural(times, 'time')} in the last hour there was no room`
      )
    }
  },
  'disk-full': {
    level: 'error',
    when: `less than ${displaySize(DISK_HEADROOM_BYTES)} of the disk are free, which the store leaves to its index; until a quarter of a GiB more is`,
    hint: 'free space, or move the home to a larger disk',
    afterMs: 0,
    look: ({ freeBytes }) =>
      one(
        freeBytes < DISK_HEADROOM_BYTES + DISK_WELL_BYTES,
        freeBytes < DISK_HEADROOM_BYTES,
        () => `${displaySize(freeBytes)} free: the store takes nothing more`
      )
  },
  'disk-low': {
    level: 'warn',
    when: `less than ${displaySize(LOW_DISK_BYTES)} of the disk are free, until a quarter of a GiB more is`,
    hint: 'free space, or move the home to a larger disk: one fetch may fill this',
    afterMs: MINUTE_MS,
    look: ({ freeBytes }) =>
      one(
        freeBytes >= DISK_HEADROOM_BYTES && freeBytes < LOW_DISK_BYTES + DISK_WELL_BYTES,
        freeBytes < LOW_DISK_BYTES,
        () => `${displaySize(freeBytes)} free`
      )
  },
  'disk-failing': {
    level: 'error',
    when: 'a read or write of the disk failed (DISK_IO, CONTENT_CORRUPT), until none did for an hour',
    hint: 'look at the log of the system and the health of the disk; keep a copy of the home elsewhere',
    afterMs: 0,
    look: ({ errors }) => {
      const times = errors('DISK_IO').times + errors('CONTENT_CORRUPT').times
      return one(times > 0, true, () => `the disk failed ${plural(times, 'time')} in the last hour`)
    }
  },
  'content-damaged': {
    level: 'error',
    when: 'contents lack blocks that were here, and an hour of repairing has not brought them back',
    hint: '`catalog verify --all --repair` names them; connect to a node that has them, or publish them again. A disk that rots once does so again',
    afterMs: HOUR_MS,
    look: ({ damaged }) =>
      one(damaged > 0, true, () => `blocks are missing from ${plural(damaged, 'content')} once whole`)
  },
  'bucket-stuck': {
    level: 'error',
    when: 'no segment could be sent to the bucket for ten minutes',
    hint: '`catalog doctor` asks the bucket and says what it answers; see docs/operations.md, "Segments in a bucket"',
    afterMs: 10 * MINUTE_MS,
    look: ({ bucketProblem: problem }) =>
      one(
        problem !== undefined,
        true,
        () => `${displaySize(problem!.backlogBytes)} wait for the bucket: ${problem!.code}`
      )
  },
  'clock-wrong': {
    level: 'error',
    when: 'the clock is before this release, or three peers within an hour have told what is dated ahead of it',
    hint: 'set the clock, and have it kept by NTP: sequence numbers and expiries depend on it',
    afterMs: 0,
    look: ({ nowMs, errors }) => {
      const { level, message } = clockCheck({ now: () => nowMs })
      const { peers } = errors('RECORD_EARLY')
      if (level === 'error') return [{ isBad: true, message }]
      return one(
        peers > 0,
        peers >= EARLY_PEERS,
        () => `records of ${plural(peers, 'peer')} are dated ahead of the clock here`
      )
    }
  },
  'no-peers': {
    level: 'warn',
    when: 'no peer was connected for five minutes, though `network.peersWanted` is above 0',
    hint: 'see whether the bootstrap peers run, and whether UDP gets out; `catalog doctor` looks at both',
    afterMs: 5 * MINUTE_MS,
    look: ({ peers, peersWanted }) => one(peers === 0 && peersWanted > 0, true, () => 'nobody is connected')
  },
  partitioned: {
    level: 'warn',
    when: 'a part of the network was lost at once and is out of reach for a minute, until it is back or given up after an hour',
    hint: 'see to the way to the lost peers, or to their machines; docs/operations.md, "When a part of the network is gone"',
    afterMs: MINUTE_MS,
    look: ({ partition: { name, reasons } }) =>
      one(name !== 'whole', name === 'partitioned', () => reasons.join('; '))
  },
  'announcements-late': {
    level: 'warn',
    when: 'a part of what this node announces is an hour overdue, until half an hour',
    hint: 'others find it no more after three hours: see whether peers are connected, and whether the machine is busy',
    afterMs: 0,
    look: ({ announcementsLateMs: lateMs }) =>
      one(
        lateMs >= LATE_WELL_MS,
        lateMs >= LATE_MS,
        () => `announcements are ${plural(Math.floor(lateMs / MINUTE_MS), 'minute')} late`
      )
  },
  'library-not-followed': {
    level: 'warn',
    when: 'a library of `sync.follow` could not be compared for an hour',
    hint: '`catalog sync --status` says how it goes; its node may be away, or no longer let this one in',
    afterMs: HOUR_MS,
    look: ({ notFollowed }) =>
      notFollowed.map(({ address, code }) => ({
        about: address,
        isBad: true,
        message: `it could not be compared: ${code}`
      }))
  },
  'peer-denied': {
    level: 'warn',
    when: 'a peer broke the protocols again and again and is denied for ten minutes',
    hint: '`catalog log --errors` says what it did; `catalog peers ban` keeps it out for good',
    afterMs: 0,
    look: ({ denied }) =>
      denied.map(peer => ({ about: peer, isBad: true, message: 'it broke the protocols again and again' }))
  }
}
