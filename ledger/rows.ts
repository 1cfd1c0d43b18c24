/** Accounts as they stand in the database (docs/disk-format.md). */
import { KeyFamily, makeKey } from '../library/index.ts'
import type { Account } from './account.ts'

const VERSION = 1
/** Version; since, at, forfeited at; five amounts; two totals; contradictions; length of the network. */
const FIXED_BYTES = 1 + 3 * 8 + 5 * 8 + 2 * 8 + 1 + 1
/** A family and six bytes of an address. */
const MAX_NETWORK_BYTES = 7
const MAX_CONTRADICTIONS = 255

export const accountKey = (peerId: string): Uint8Array =>
  makeKey(KeyFamily.PeerAccount, Buffer.from(peerId, 'latin1'))

export const peerOfKey = (key: Uint8Array): string =>
  Buffer.from(key).toString('latin1', KeyFamily.PeerAccount.length)

export function encodeAccount(account: Account): Uint8Array {
  const { sentBytes, receivedBytes, transfers, failures, violations } = account.recent
  const network = Buffer.from(account.network, 'hex')
  const bytes = Buffer.alloc(FIXED_BYTES + network.byteLength)
  let at = bytes.writeUInt8(VERSION)
  for (const whole of [account.sinceMs, account.atMs, account.forfeitedAtMs])
    at = bytes.writeBigUInt64BE(BigInt(whole), at)
  for (const amount of [sentBytes, receivedBytes, transfers, failures, violations])
    at = bytes.writeDoubleBE(amount, at)
  for (const total of [account.totalSentBytes, account.totalReceivedBytes])
    at = bytes.writeBigUInt64BE(BigInt(total), at)
  at = bytes.writeUInt8(Math.min(MAX_CONTRADICTIONS, account.contradictions), at)
  at = bytes.writeUInt8(network.byteLength, at)
  network.copy(bytes, at)
  return bytes
}

/** Undefined for what no version of this program has written. */
export function decodeAccount(row: Uint8Array): Account | undefined {
  const bytes = Buffer.from(row)
  if (bytes.byteLength < FIXED_BYTES || bytes.byteLength > FIXED_BYTES + MAX_NETWORK_BYTES) return undefined
  if (bytes[0] !== VERSION || bytes[FIXED_BYTES - 1] !== bytes.byteLength - FIXED_BYTES) return undefined
  const whole = (at: number): number => Number(bytes.readBigUInt64BE(at))
  const amount = (at: number): number => bytes.readDoubleBE(at)
  const account: Account = {
    sinceMs: whole(1),
    atMs: whole(9),
    forfeitedAtMs: whole(17),
    recent: {
      sentBytes: amount(25),
      receivedBytes: amount(33),
      transfers: amount(41),
      failures: amount(49),
      violations: amount(57)
    },
    totalSentBytes: whole(65),
    totalReceivedBytes: whole(73),
    contradictions: bytes.readUInt8(81),
    network: bytes.toString('hex', FIXED_BYTES)
  }
  return isSound(account) ? account : undefined
}

function isSound({ recent, ...account }: Account): boolean {
  const { sinceMs, atMs, forfeitedAtMs, totalSentBytes, totalReceivedBytes } = account
  const wholes = [sinceMs, atMs, forfeitedAtMs, totalSentBytes, totalReceivedBytes]
  return (
    wholes.every(Number.isSafeInteger) &&
    Object.values(recent).every(amount => amount >= 0 && amount <= Number.MAX_SAFE_INTEGER)
  )
}
