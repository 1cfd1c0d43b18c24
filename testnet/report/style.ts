/** Of the page. Colours by name of what they say, each with a contrast of 4.5 or more to its ground, light and dark. */
export const STYLE = `
:root { color-scheme: light dark; --ground: #fff; --text: #1b1b1b; --dim: #595959; --line: #c8c8c8; --good: #0a6b2d; --bad: #b3121d; --other: #7a4b00; --fault: #b45309; --step: #1d5fbf }
@media (prefers-color-scheme: dark) { :root { --ground: #16181c; --text: #e8e8e8; --dim: #a9adb5; --line: #464b55; --good: #5fd38a; --bad: #ff8a8a; --other: #f0b35e; --fault: #f59e4b; --step: #7db2ff } }
body { background: var(--ground); color: var(--text); font: 1rem/1.5 system-ui, sans-serif; max-width: 70rem; margin: 0 auto; padding: 1rem }
h2 { border-top: 1px solid var(--line); padding-top: 1rem; margin-top: 2.5rem }
.scroll { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; width: 100% }
caption { text-align: left; font-weight: 600; padding: .25rem 0 }
th, td { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0; border-bottom: 1px solid var(--line) }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
td pre { margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .875rem }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 1rem }
dt { color: var(--dim) }
dd { margin: 0; overflow-wrap: anywhere }
.good { color: var(--good) } .bad { color: var(--bad); font-weight: 600 } .other { color: var(--other) }
a { color: var(--step) }
a:focus-visible, [tabindex]:focus-visible { outline: 3px solid var(--step); outline-offset: 2px }
svg { width: 100%; height: auto } svg text { fill: var(--text); font: 12px system-ui, sans-serif }
svg .fault { fill: var(--fault) } svg .step { fill: var(--step) } svg .axis { stroke: var(--line) }
`
