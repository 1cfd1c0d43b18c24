import * as chai from 'chai'
import chaiAsPromised from 'chai-as-promised'
import chaiBites from 'chai-bites'
import chaiParentheses from 'chai-parentheses'
import chaiString from 'chai-string'
import chaiSubset from 'chai-subset'

// After chai-as-promised, whose properties it turns into methods; and with a copy of chai's utilities, because it replaces one of
// them and those of chai 6 are read-only.
const parentheses = (chai, utilities) => (chaiParentheses.default ?? chaiParentheses)(chai, { ...utilities })

for (const plugin of [chaiAsPromised, parentheses, chaiSubset, chaiBites, chaiString])
  chai.use(plugin.default ?? plugin)
export const expect = chai.expect
export const assert = chai.assert
