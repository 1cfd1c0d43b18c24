/** A value over time in bounded room. */
export interface Point {
  readonly atMs: number
  readonly value: number
}

/** Of one series. A trend over so many points is as good as one over all; more are pairs of them halved. */
const MAX_POINTS = 480

/**
 * Keeps all of a short run, and of a long one as many points as there is room for, each for an equally long time: when it is full, two
 * neighbours become one at the middle between them, and from then on as many values more make one point.
 */
export class Series {
  #points: Point[] = []
  /** How many values make one point. */
  #perPoint = 1
  #pending: Point[] = []

  get points(): readonly Point[] {
    return this.#points
  }

  add(atMs: number, value: number): void {
    this.#pending.push({ atMs, value })
    if (this.#pending.length < this.#perPoint) return
    this.#points.push(middleOf(this.#pending))
    this.#pending = []
    if (this.#points.length < MAX_POINTS) return
    this.#perPoint *= 2
    this.#points = Array.from({ length: MAX_POINTS / 2 }, (_, at) =>
      middleOf(this.#points.slice(2 * at, 2 * at + 2))
    )
  }
}

function middleOf(points: readonly Point[]): Point {
  const mean = (of: (point: Point) => number): number =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length
  return { atMs: mean(({ atMs }) => atMs), value: mean(({ value }) => value) }
}
