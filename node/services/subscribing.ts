/** Libraries of other nodes that the operator begins and ceases to follow: `sync.follow` of the configuration is where they stand. */
import { CatalogError, type Logger, toCatalogError } from '../../base/index.ts'
import { isOverridden, type LoadedConfig, MAX_FOLLOWED, overriderText } from '../../config/index.ts'
import { PRIVATE_LIBRARY } from '../../library/index.ts'
import type { FollowShape, Unfollowed } from '../sync-schemas.ts'
import { formatAddress, type LibraryAddress, parseAddress } from './library-address.ts'
import { conditionsOf } from './release-filter.ts'
import { linesWith, linesWithout, mannerOf, type Subscription, subscriptionsOf } from './subscription.ts'
import { wantedOf } from './subscription-change.ts'
import type { ConfigService, FollowRequest, SubscribingService, SyncingService } from './types.ts'

const KEY = 'sync.follow'

export interface SubscribingModules {
  /** Puts a change of the lines in force. */
  config: Pick<ConfigService, 'edit'>
  syncing: Pick<SyncingService, 'forget'>
  /** What is in force. */
  follows(): FollowShape[]
  logger: Logger
}

export interface SubscribingOptions {
  /** Peer id of this node. */
  self: string
}

export class Subscribing implements SubscribingService {
  readonly #modules: SubscribingModules
  readonly #self: string

  constructor(modules: SubscribingModules, { self }: SubscribingOptions) {
    this.#modules = modules
    this.#self = self
  }

  async follow(request: FollowRequest): Promise<FollowShape> {
    const { config, logger } = this.#modules
    const address = parseAddress(request.library)
    if (address.writer === this.#self)
      throw new CatalogError('INVALID_ARGUMENT', `${formatAddress(address)} is a library of this node`, {
        hint: 'name one of another node: `catalog library list` there prints the addresses'
      })
    if (address.name === PRIVATE_LIBRARY)
      throw new CatalogError(
        'INVALID_ARGUMENT',
        `the library ${PRIVATE_LIBRARY} of a node is never shown to another one`,
        { hint: 'its operator can make a restricted library for this node: `catalog library create`' }
      )
    await config.edit(KEY, next => {
      const lines = linesOf(next)
      const before = subscriptionsOf(lines).find(isOf(address))
      const wanted = wantedOf(request, before ?? { ...address, content: 'none', mode: 'mirror' })
      this.#expectNews(wanted, request)
      const changed = linesWith(lines, wanted)
      if (changed.length > MAX_FOLLOWED)
        throw new CatalogError('LIMIT_EXCEEDED', `a node follows ${MAX_FOLLOWED} libraries at most`, {
          hint: 'follow one that you do not need no more: catalog library unfollow ADDRESS'
        })
      return changed
    })
    const shape = this.#inForce(address)
    // A change of the configuration may have come between.
    if (shape === undefined) throw notFollowed(address)
    const { content, mode } = shape
    const only = conditionsOf(shape)
    logger.info({ library: shape.address, content, mode, only }, 'a library is followed from now on')
    return shape
  }

  async unfollow(library: string, signal: AbortSignal): Promise<Unfollowed> {
    const { config, logger } = this.#modules
    const address = parseAddress(library)
    await config.edit(KEY, next => {
      const lines = linesOf(next)
      if (!subscriptionsOf(lines).some(isOf(address)) && this.#inForce(address) === undefined)
        throw notFollowed(address)
      return linesWithout(lines, formatAddress(address))
    })
    const hadCopy = await this.#forget(address, signal)
    logger.info({ library: formatAddress(address), hadCopy }, 'a library is followed no more')
    return { ...address, address: formatAddress(address), hadCopy }
  }

  #inForce(address: LibraryAddress): FollowShape | undefined {
    return this.#modules.follows().find(isOf(address))
  }

  /** What is done already is not what was meant. */
  #expectNews(wanted: Subscription, { library: _, ...asked }: FollowRequest): void {
    const now = this.#inForce(wanted)
    if (now === undefined || mannerOf(now) !== mannerOf(wanted)) return
    const { content, mode } = wanted
    const how = [`content ${content}`, `mode ${mode}`, ...conditionsOf(wanted)].join(', ')
    const isAsked = Object.values(asked).some(value => value !== undefined)
    throw new CatalogError(
      'ALREADY_FOLLOWED',
      `${formatAddress(wanted)} is followed already${isAsked ? ' in that way' : ''}: ${how}`,
      {
        hint: 'give another --content, --mode or filter to change that, or end it: catalog library unfollow ADDRESS'
      }
    )
  }

  /** Whether there was a copy. */
  async #forget(address: LibraryAddress, signal: AbortSignal): Promise<boolean> {
    const library = formatAddress(address)
    try {
      await this.#modules.syncing.forget(library, signal)
      return true
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code === 'NOT_FOUND') return false
      if (error.code !== 'BUSY') throw error
      throw new CatalogError('BUSY', `${library} is followed no more, but its copy is in use`, {
        hint: `let go of that when the sync is over: catalog sync ${library} --forget`,
        cause: error
      })
    }
  }
}

/** The lines that a change begins with. CONFIG_OVERRIDDEN where it would have no effect. */
function linesOf({ values, origins }: LoadedConfig): string[] {
  const origin = origins.get(KEY)
  if (isOverridden(origin))
    throw new CatalogError('CONFIG_OVERRIDDEN', `${KEY} of this daemon comes from ${overriderText(origin)}`)
  return values.sync.follow
}

const isOf =
  ({ writer, name }: LibraryAddress) =>
  (other: LibraryAddress): boolean =>
    other.writer === writer && other.name === name

const notFollowed = (address: LibraryAddress): CatalogError =>
  new CatalogError('NOT_FOUND', `${formatAddress(address)} is not followed here`, {
    hint: '`catalog sync --status` shows what is; a copy that was made once goes with `catalog sync ADDRESS --forget`'
  })
