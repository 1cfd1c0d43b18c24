/**
 * Installer: writes releases into a folder of the user, in the user's own process. In come tar streams of verified bytes
 * and what their records say; out comes a folder per package and catalog-lock.json, changed all at once or not at all,
 * whatever fails or is killed on the way. It talks to no daemon and decides nothing: which releases, from whom and in
 * which version is known when it begins. Every path is checked again here, as if nobody had checked it before.
 */
export type { ExtractedTotals } from './extract.ts'
export { LOCK_FILE, type LockedPackage, type LockFile } from './lock-file.ts'
export { type InstalledPackage, InstallTarget, type PackageToInstall } from './target.ts'
