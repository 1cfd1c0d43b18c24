/** Fields that many schemas have. */
import * as Type from 'typebox'

export const text = (description: string): Type.TString => Type.String({ description })
export const count = (description: string): Type.TInteger => Type.Integer({ minimum: 0, description })
export const ms = (description: string): Type.TNumber => Type.Number({ description })
