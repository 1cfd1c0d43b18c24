import { createHash } from 'node:crypto'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { PeerRecord, RecordEnvelope } from '@libp2p/peer-record'
import type { Multiaddr } from '@multiformats/multiaddr'
import { CatalogError, LruCache } from '../../base/index.ts'

/** What a signed peer record says. */
export interface SignedAddresses {
  readonly peerId: PeerId
  /** At most MAX_ADDRESSES. */
  readonly addresses: readonly Multiaddr[]
  /** Grows with each record that the peer signs. */
  readonly sequence: bigint
}

/** A peer with more addresses than this lists its best first. */
const MAX_ADDRESSES = 16
/** Records whose signature was checked: a holder of many names is met again and again. */
const MAX_VERIFIED = 2000
/** The code of /p2p in a multiaddr. */
const CODE_P2P = 421

/** Makes the record of this node's addresses: a libp2p peer record in an envelope signed with the node key. */
export async function sealAddresses(
  privateKey: PrivateKey,
  addresses: readonly Multiaddr[],
  sequence: bigint
): Promise<Uint8Array> {
  const record = new PeerRecord({
    peerId: peerIdFromPublicKey(privateKey.publicKey),
    multiaddrs: addresses.slice(0, MAX_ADDRESSES).map(address => address.decapsulateCode(CODE_P2P)),
    seqNumber: sequence
  })
  const envelope = await RecordEnvelope.seal(record, privateKey)
  return envelope.marshal()
}

/** Opens peer records: checks that the peer they are about signed them. Remembers the last ones. */
export class PeerRecordReader {
  readonly #verified = new LruCache<string, SignedAddresses>({ maxEntries: MAX_VERIFIED })

  /** Throws PROTOCOL_VIOLATION when it is none, SIGNATURE_INVALID when somebody else made it. */
  async open(bytes: Uint8Array): Promise<SignedAddresses> {
    const digest = createHash('sha256').update(bytes).digest('base64')
    const known = this.#verified.get(digest)
    if (known !== undefined) return known
    const opened = await verified(bytes)
    this.#verified.set(digest, opened)
    return opened
  }
}

async function verified(bytes: Uint8Array): Promise<SignedAddresses> {
  const { envelope, record } = parsed(bytes)
  if (!(await envelope.validate(PeerRecord.DOMAIN)))
    throw new CatalogError('SIGNATURE_INVALID', 'the signature of a peer record does not match')
  if (!peerIdFromPublicKey(envelope.publicKey).equals(record.peerId))
    throw new CatalogError('SIGNATURE_INVALID', 'a peer record was signed by another peer')
  return {
    peerId: record.peerId,
    addresses: record.multiaddrs.slice(0, MAX_ADDRESSES),
    sequence: record.seqNumber
  }
}

function parsed(bytes: Uint8Array): { envelope: RecordEnvelope; record: PeerRecord } {
  try {
    const envelope = RecordEnvelope.createFromProtobuf(bytes)
    return { envelope, record: PeerRecord.createFromProtobuf(envelope.payload) }
  } catch (cause) {
    throw new CatalogError('PROTOCOL_VIOLATION', 'a peer record cannot be read', { cause })
  }
}
