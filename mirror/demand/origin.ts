/**
 * Who counts as one: a public network (`networkOf` the address of a peer: a /24 or /48), or else a peer, by its public key: one that fetches and
 * reports is one, and not two. One who rents a network has all its addresses, so what many peers in it say is what one says.
 */
export const originOf = (node: Uint8Array, network: string | undefined): string =>
  network ?? Buffer.from(node).toString('hex')
