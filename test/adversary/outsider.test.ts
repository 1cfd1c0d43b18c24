/**
 * What somebody can find out about a library that it may not know of, and of which it knows every name and id already: nothing that
 * it could not be told of what does not exist, by no question of any protocol, at the writer as at a follower.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerTo, timesOf, violationsAt } from './support/asking.ts'
import { QUESTIONS, type Question } from './support/questions.ts'
import { createScene, type Scene } from './support/scene.ts'
import { whatTimeTells } from './support/timing.ts'

let scene: Scene
beforeAll(async () => {
  scene = await createScene()
})
afterAll(() => scene?.destroy())

const NODES = ['writer', 'follower'] as const

/** What the answer about what is nowhere must differ from, to show that there was a question. */
async function realAnswer(question: Question, node: (typeof NODES)[number]): Promise<string | undefined> {
  const { member, outsider, closed, open } = scene
  if (question.answered === 'to members') return await answerTo(question, member, scene[node], closed)
  if (question.answered === 'of open') return await answerTo(question, outsider, scene[node], open)
  return undefined
}

describe.each(NODES)('at the %s an outsider is told nothing by', node => {
  it.each(QUESTIONS)('$name', async question => {
    const { outsider, closed, control } = scene
    const daemon = scene[node]
    const connections = outsider.connectionsWith(daemon)
    const counted = await violationsAt(daemon)
    const nothing = await answerTo(question, outsider, daemon, control)
    expect(await answerTo(question, outsider, daemon, closed)).toBe(nothing)
    expect(await violationsAt(daemon), 'nothing counts against it').toEqual(counted)
    expect(outsider.connectionsWith(daemon), 'and it stays connected').toEqual(connections)
    expect(await realAnswer(question, node)).not.toBe(nothing)
  })
})

describe('an outsider is told nothing by the time that it takes to answer', () => {
  it.each(QUESTIONS)('$name', async question => {
    const { closed, control } = scene
    const subjects = [closed, control] as const
    const told = NODES.map(node => whatTimeTells(() => timesOf(question, { daemon: scene[node], subjects })))
    expect(await Promise.all(told)).toEqual([undefined, undefined])
  })
})
