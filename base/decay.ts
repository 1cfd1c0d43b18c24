/** What is left of a quantity of which half goes in each half-life, as a share. A clock that was set back lets nothing go. */
export const leftAfter = (elapsedMs: number, halfLifeMs: number): number =>
  2 ** (-Math.max(0, elapsedMs) / halfLifeMs)
