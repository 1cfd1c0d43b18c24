import { type CatalogError, type Clock, LruCache } from '../../base/index.ts'

/** One failure, as `why` tells it. */
export interface FetchFailure {
  version?: string
  code: string
  message: string
  /** RFC 3339. */
  at: string
  ageMs: number
}

export interface SourceFailed extends FetchFailure {
  peerId: string
}

/** Releases, and pairs of release and peer, whose last failure is remembered: about 300 bytes each, as of an error only its words are kept. */
const MAX_RELEASES = 1000
const MAX_SOURCES = 4000

/** Which release: its name, or its id while the name is not known. */
export interface Subject {
  name: string
  version?: string
}

/**
 * No error itself: until somebody reads its stack it holds whatever `this` was in each frame of it, here all of a fetch with its
 * streams and its megabytes of buffers.
 */
interface Noted {
  subject: Subject
  code: string
  message: string
  atMs: number
  peerId?: string
}

/** The last failure of each release, and of each peer as a source of it: operations are forgotten after minutes. */
export class FetchFailures {
  readonly #clock: Clock
  readonly #releases = new LruCache<string, Noted>({ maxEntries: MAX_RELEASES })
  readonly #sources = new LruCache<string, Noted>({ maxEntries: MAX_SOURCES })

  constructor(modules: { clock: Clock }) {
    this.#clock = modules.clock
  }

  failed(subject: Subject, { code, message }: CatalogError): void {
    this.#releases.set(keyOf(subject), { subject, code, message, atMs: this.#clock.now() })
  }

  sourceFailed(subject: Subject, peerId: string, { code, message }: CatalogError): void {
    const atMs = this.#clock.now()
    this.#sources.set(`${keyOf(subject)} ${peerId}`, { subject, code, message, peerId, atMs })
  }

  /** What failed before says nothing any more; what single sources did stays. */
  succeeded(subject: Subject): void {
    this.#releases.delete(keyOf(subject))
    this.#releases.delete(keyOf({ name: subject.name }))
  }

  /** Failures of a name or id, newest first. */
  of(name: string): { releases: FetchFailure[]; sources: SourceFailed[] } {
    const releases = this.#newest(this.#releases, name).map(noted => this.#shape(noted))
    const sources = this.#newest(this.#sources, name).map(noted => ({
      peerId: noted.peerId ?? '',
      ...this.#shape(noted)
    }))
    return { releases, sources }
  }

  #newest(all: LruCache<string, Noted>, name: string): Noted[] {
    return [...all.values()].filter(({ subject }) => subject.name === name).sort((a, b) => b.atMs - a.atMs)
  }

  #shape({ subject, code, message, atMs }: Noted): FetchFailure {
    return {
      ...(subject.version === undefined ? {} : { version: subject.version }),
      code,
      message,
      at: new Date(atMs).toISOString(),
      ageMs: Math.max(0, this.#clock.now() - atMs)
    }
  }
}

const keyOf = ({ name, version = '' }: Subject): string => `${name}@${version}`
