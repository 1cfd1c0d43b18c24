import { CID } from 'multiformats/cid'
import { BLOCK_ID_BYTES, isName, isVersion } from '../../library/index.ts'
import type { ExchangeType } from '../exchange/index.ts'
import { declareMessage } from '../wire/message.ts'
import {
  MAX_REQUEST_BYTES,
  MAX_RESPONSE_BYTES,
  MAX_TOLD_DEMAND_BYTES,
  MAX_TOLD_MEMBER_BYTES,
  PROOF_NONCE_BYTES,
  SAMPLES
} from './limits.ts'
import type { ProofRequest, ProofResponse } from './messages.js'
import { ProofRequest as RequestMessage, ProofResponse as ResponseMessage } from './messages.js'

/** Of an Ed25519 public key. */
const OWNER_BYTES = 32
export const DIGESTS_BYTES = SAMPLES * BLOCK_ID_BYTES
/** Of a 64-bit number. */
export const WEIGHT_BYTES = 8

const proofRequest = declareMessage('proof.request', RequestMessage, {
  minBytes: OWNER_BYTES + BLOCK_ID_BYTES,
  maxBytes: MAX_REQUEST_BYTES,
  check({ name, version, owner, content, nonce, nodes, sample }) {
    if (!isName(name) || !isVersion(version)) return 'a release that cannot be'
    if (owner.byteLength !== OWNER_BYTES) return `an owner of ${owner.byteLength} bytes`
    if (!isCid(content)) return 'a content that is no CID'
    const asked = [nonce.byteLength > 0, nodes.length > 0, sample !== undefined].filter(Boolean).length
    if (asked !== 1) return `${asked} questions`
    if (nonce.byteLength > 0 && nonce.byteLength !== PROOF_NONCE_BYTES)
      return `a nonce of ${nonce.byteLength} bytes`
    return undefined
  }
})

const proofResponse = declareMessage('proof.response', ResponseMessage, {
  minBytes: 0,
  maxBytes: MAX_RESPONSE_BYTES,
  check({ digests, nodes, member, demand }) {
    if (digests.byteLength > 0 && digests.byteLength !== DIGESTS_BYTES)
      return `${digests.byteLength} bytes of digests`
    if (nodes.some(({ weights }) => weights.byteLength % WEIGHT_BYTES !== 0)) return 'a part of a weight'
    if (member.byteLength > MAX_TOLD_MEMBER_BYTES) return `a member record of ${member.byteLength} bytes`
    if (demand.byteLength > MAX_TOLD_DEMAND_BYTES) return `a demand summary of ${demand.byteLength} bytes`
    return undefined
  }
})

export const PROOF: ExchangeType<ProofRequest, ProofResponse> = {
  name: 'proof',
  version: 1,
  request: proofRequest,
  response: proofResponse
}

function isCid(bytes: Uint8Array): boolean {
  try {
    CID.decode(bytes)
    return true
  } catch {
    return false
  }
}
