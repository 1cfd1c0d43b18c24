/** A CID as it is written: what contents are called in maps. */
export type CidText = string
