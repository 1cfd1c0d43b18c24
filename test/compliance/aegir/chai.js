import * as chai from 'chai'
import chaiAsPromised from 'chai-as-promised'
import chaiBites from 'chai-bites'
import chaiParentheses from 'chai-parentheses'
import chaiString from 'chai-string'
import chaiSubset from 'chai-subset'

for (const plugin of [chaiParentheses, chaiSubset, chaiBites, chaiString, chaiAsPromised]) {
  chai.use(plugin.default ?? plugin)
}
export const expect = chai.expect
export const assert = chai.assert
