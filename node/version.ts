import packageJson from '../package.json' with { type: 'json' }

/** Version of this Catalog, as package.json says. */
export const VERSION: string = packageJson.version
