/** Whether a value comes from where a change of the file has no effect on it. */
export const isOverridden = (origin = 'default'): boolean => origin === 'flag' || origin.startsWith('env:')

/** What overrides such a value, for people. */
export const overriderText = (origin = 'default'): string =>
  origin === 'flag' ? 'a flag' : `the variable ${origin.slice('env:'.length)}`
