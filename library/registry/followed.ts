/**
 * Libraries of other nodes that are followed here. A copy of one is a library like any other, with a name that says whose it is; it is
 * an exact replica, so no record joins or leaves it but as its writer has it. Where a record is a member of copies only, and a newer
 * one is known for its key, it stays stored for their sake and is found under its name no more.
 */
const PREFIX = 'followed/'

/** The name here of a copy of a library, which others know by `id` (32 bytes); each copy of one has a number of its own. */
export const followedLibrary = (id: Uint8Array, copy: number): string =>
  `${PREFIX}${Buffer.from(id).toString('hex')}/${copy}`

export const isFollowedLibrary = (libraryId: string): boolean => libraryId.startsWith(PREFIX)
