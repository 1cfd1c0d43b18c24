/** Lets any number of loops wait until something has changed: `show` wakes all that wait at that moment. */
export class Signpost {
  #wake: () => void = () => {}
  #shown: Promise<void> | undefined

  /** Resolves at the next `show`. */
  shown(): Promise<void> {
    this.#shown ??= new Promise(resolve => {
      this.#wake = resolve
    })
    return this.#shown
  }

  show(): void {
    this.#shown = undefined
    this.#wake()
  }
}
