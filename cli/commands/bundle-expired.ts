/** What the user is to know of a state that is past. */
export const expiredWarning = (expires: string): string =>
  `the bundle was made of a state of the library that held until ${expires}: newer releases and yanks may be missing`
