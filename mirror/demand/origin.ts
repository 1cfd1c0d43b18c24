/**
 * Who counts as one: a public network (`networkOf` the address of a peer: a /24 or /48), or else a peer. One who rents a network has all its
 * addresses, so what many peers in it say is what one says.
 */
export const originOf = (peer: string, network: string | undefined): string => network ?? peer
