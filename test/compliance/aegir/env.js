export const isNode = true
export const isBrowser = false
export const isElectron = false
export const isElectronMain = false
export const isElectronRenderer = false
export const isReactNative = false
export const isWebWorker = false
export const isTest = true
