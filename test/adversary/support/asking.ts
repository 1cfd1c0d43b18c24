/** Questions asked by the dozen: one answer as it is, and how long many of them take. */
import { toCatalogError } from '../../../base/index.ts'
import type { TestDaemon } from '../../daemon/support.ts'
import type { Answer, Question, Subject } from './questions.ts'
import { RawPeer } from './raw-peer.ts'
import type { Samples } from './timing.ts'

/** Whose rates nobody has drawn on yet: one peer that asks so many pairs, or several that ask few each, so many times. */
const ONE_PEER = { peers: 1, rounds: 1, pairs: 60 }
const MANY_PEERS = { peers: 3, rounds: 3 }
/** In text, and in the bytes of a message. */
const BUSY = /BUSY|42555359/

/** What one is answered, or all that is said of a failure. */
export async function answerTo(
  { ask }: Question,
  peer: RawPeer,
  daemon: TestDaemon,
  subject: Subject
): Promise<Answer> {
  try {
    return await ask(peer, daemon, subject)
  } catch (thrown) {
    const { code, message, details } = toCatalogError(thrown)
    return JSON.stringify({ code, message, details })
  }
}

export interface Kinds {
  readonly daemon: TestDaemon
  readonly subjects: readonly [Subject, Subject]
}

/** Milliseconds to the answers about two subjects, asked in turns by outsiders. */
export async function timesOf(question: Question, kinds: Kinds): Promise<Samples> {
  const samples: Samples = [[], []]
  const { perPeer, atOnce } = question
  const { peers, rounds, pairs } =
    perPeer === undefined ? ONE_PEER : { ...MANY_PEERS, pairs: (perPeer * atOnce) / 2 }
  const askAsOne = async (): Promise<void> => {
    const peer = await RawPeer.start()
    await peer.join(kinds.daemon)
    const turns = { ...kinds, pairs: pairs / atOnce }
    await Promise.all(Array.from({ length: atOnce }, () => askInTurns(question, peer, turns, samples)))
    await peer.stop()
  }
  for (let round = 0; round < rounds; round++) await Promise.all(Array.from({ length: peers }, askAsOne))
  return samples
}

async function askInTurns(
  question: Question,
  peer: RawPeer,
  { daemon, subjects, pairs }: Kinds & { pairs: number },
  samples: Samples
): Promise<void> {
  for (let pair = 0; pair < pairs; pair++)
    for (const kind of pair % 2 === 0 ? [0, 1] : [1, 0]) {
      const startMs = performance.now()
      const answer = await answerTo(question, peer, daemon, subjects[kind]!)
      samples[kind]!.push(performance.now() - startMs)
      if (BUSY.test(answer)) throw new Error(`asked too often for a measurement: ${answer}`)
    }
}

/** What a daemon counts against peers, by part and code. */
export async function violationsAt(daemon: TestDaemon): Promise<string[]> {
  const { bytes } = await daemon.api('GET', '/metrics')
  return bytes
    .toString()
    .split('\n')
    .filter(line => /^catalog_\w*(violations|denied|cut_streams)\w*(\{| )/.test(line))
}
