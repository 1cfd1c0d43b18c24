/**
 * Access: the libraries that this node has, and who may know of which. It keeps access lists, which are records in the libraries
 * themselves, and answers for every protocol whether a peer may be told of a library or a record; what to do with a peer that may not any
 * more is for those who serve it.
 */
export { Audiences, type AudiencesModules, type AudiencesOptions } from './audiences.ts'
export { LibraryDeletion } from './deletion.ts'
export { type Group, readGroup, readGroups } from './groups.ts'
export { LibraryKeeper, MAX_GROUPS, MAX_OWN_LIBRARIES, type MemberChange, type NewLibrary } from './keeper.ts'
export { type HavingLibrary, LibraryAccess, type LibraryAccessModules } from './library-access.ts'
export {
  type Access,
  type OwnLibrary,
  readDeleted,
  readOwnLibraries,
  readOwnLibrary
} from './own-libraries.ts'
