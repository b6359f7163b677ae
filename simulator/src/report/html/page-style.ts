/** The look of a page, light and dark, on a phone, on a desk and on paper. */
export const pageStyle = `
:root { color-scheme: light dark; --ground: #fff; --surface: #f6f8f7; --line: #dce3e1; --ink: #12211e; --quiet: #52625e; --primary: #0b6e5f; --soft: #e3f2ef; --free: #1b7f4b; --few: #8f5600; --error: #b3261e; --off: #5b6470; --l0: #e3f2ef; --l1: #b5dcd4; --l2: #74b9ac; --l3: #2f8f80; --l4: #0a4f45; --empty: #eef1f0; --dot: #12211e; --halo: #fff; --few-soft: #fff1dc; --error-soft: #fdeceb; --free-soft: #eef8f2 }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1716; --surface: #17211f; --line: #2a3734; --ink: #e6eeec; --quiet: #9db0ab; --primary: #5bd1bc; --soft: #12332d; --free: #6fd39b; --few: #f0b75e; --error: #ff8a80; --off: #9aa5b1; --l0: #12332d; --l1: #1a5348; --l2: #2a7d6d; --l3: #43ab98; --l4: #8debda; --empty: #1b2624; --dot: #e6eeec; --halo: #0f1716; --few-soft: #33270f; --error-soft: #3a1a18; --free-soft: #12301f } }
* { box-sizing: border-box }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto } }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Noto Sans Thai", "Noto Sans Khmer", "Noto Sans Lao", "Noto Sans Myanmar", "Noto Sans SC", sans-serif; font-variant-numeric: tabular-nums }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px }
h1, h2, h3, strong, th, dd, .strong { font-weight: 600 }
h1 { font-size: clamp(32px, 5vw, 48px); line-height: 1.1; letter-spacing: -0.02em; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 24px; line-height: 1.25; letter-spacing: -0.01em; margin: 0 }
h3 { font-size: 16px; line-height: 1.4; margin: 0 0 12px }
p { margin: 0 }
data { unicode-bidi: isolate }
ul, ol, dl, dd, figure { margin: 0; padding: 0 }
ul { list-style: none }
code { font: 13px/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; overflow-wrap: anywhere }
h3 code { color: var(--quiet); font-weight: 400; margin-left: 4px }
.quiet, .lead, .note, .axis-title, caption, .fact dt { color: var(--quiet) }
.note, .axis-title { font-size: 14px }
.note { margin-top: 12px }
.visually-hidden { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
section { margin-top: 56px; scroll-margin-top: 16px }
.lead { margin: 4px 0 16px; max-width: 46em }
.mark { display: flex; align-items: center; gap: 8px; font-weight: 600; margin-bottom: 20px }
.mark .quiet { font-weight: 400 }
.mark-on { fill: var(--primary) } .mark-off { fill: none; stroke: var(--primary); stroke-width: 2 }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; margin-bottom: 8px }
.pill { display: inline-flex; align-items: center; gap: 8px; padding: 4px 14px; border-radius: 18px; font-size: 15px; font-weight: 600 }
.pill.good { color: var(--free); background: var(--free-soft) } .pill.few { color: var(--few); background: var(--few-soft) } .pill.bad { color: var(--error); background: var(--error-soft) }
.bad-text { color: var(--error) }
.warn { margin-top: 16px; padding: 12px 16px; border-left: 4px solid var(--few); background: var(--few-soft); border-radius: 0 12px 12px 0 }
nav { margin-top: 24px; border-bottom: 1px solid var(--line); overflow-x: auto }
nav ul { display: flex; gap: 4px }
nav a { display: flex; align-items: center; min-height: 48px; padding: 0 12px; color: var(--primary); text-decoration: none; white-space: nowrap; border-radius: 10px 10px 0 0 }
nav a:hover { background: var(--soft) }
:focus-visible { outline: 3px solid var(--primary); outline-offset: 2px }
nav a:focus-visible { outline-offset: -3px }
.facts { display: flex; flex-wrap: wrap; gap: 8px 28px; margin-bottom: 12px }
.fact { display: flex; flex-direction: column-reverse; justify-content: flex-end; min-width: 0 }
.fact dt { font-size: 14px; line-height: 1.4 }
.fact dd { font-size: 20px; line-height: 1.3 }
.headline { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 280px), 1fr)); gap: 1px; margin: 28px 0 0; background: var(--line); border: 1px solid var(--line); border-radius: 18px; overflow: hidden }
.headline .fact { background: var(--ground); padding: 20px 20px 18px }
.headline dd { font-size: 40px; line-height: 1.1; letter-spacing: -0.02em; color: var(--primary); margin-bottom: 6px }
.headline dt { font-size: 15px; max-width: 24em }
.story { font-size: 18px; line-height: 1.6; max-width: 44em; margin-top: 12px }
.grid { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px }
.grid.thirds { grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)) }
.grid > .wide { grid-column: 1 / -1 }
.card { border: 1px solid var(--line); border-radius: 18px; padding: 20px; min-width: 0; background: var(--ground) }
.grid + .grid, .operations + .grid { margin-top: 16px }
@media (max-width: 800px) { .grid { grid-template-columns: minmax(0, 1fr) } }
.plot { display: flex; align-items: flex-start; overflow: hidden; padding-right: 1px }
.plot > svg { display: block; overflow: visible; min-width: 0 }
.plot > .y { flex: none }
.plot > svg:last-child { flex: 1 }
svg text { font-size: 13px; fill: var(--quiet) }
svg text.strong { fill: var(--ink) }
.grid line { stroke: var(--line); stroke-width: 1 }
.axis-title { text-align: center }
.met { fill: var(--l3) } .redirected { fill: var(--l1) } .failed { fill: var(--off) } .refused { fill: url(#hatch) } .hatch-ground { fill: var(--error-soft) } .hatch-line { stroke: var(--error); stroke-width: 3 }
.occupied-area { fill: var(--l3) } .held-area { fill: var(--l1) }
.line { fill: none; stroke: var(--primary); stroke-width: 2; vector-effect: non-scaling-stroke; stroke-linejoin: round }
.line.doorToDoor { stroke: var(--ink) } .line.ownLockers { stroke: var(--off); stroke-dasharray: 2 4 } .line.openNetwork { stroke-dasharray: 8 4 } .line.openConsolidated { stroke-width: 3 }
.line.second { stroke: var(--ink); stroke-dasharray: 5 3 }
text.line-label { fill: var(--ink); paint-order: stroke; stroke: var(--ground); stroke-width: 4px }
.grid line.marker { stroke: var(--ink); stroke-dasharray: 3 3 } .marker-text { fill: var(--ink); paint-order: stroke; stroke: var(--ground); stroke-width: 4px }
.grid line.range { stroke: var(--ink); stroke-width: 1.5 }
.heat { shape-rendering: crispEdges }
.l0 { fill: var(--l0) } .l1 { fill: var(--l1) } .l2 { fill: var(--l2) } .l3 { fill: var(--l3) } .l4 { fill: var(--l4) } .empty, .unknown { fill: var(--empty) }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; margin-bottom: 8px; font-size: 14px; color: var(--quiet) }
.key li { display: flex; align-items: center; gap: 6px } .key svg { flex: none }
.key rect { stroke: var(--quiet); stroke-width: 0.5 }
.operations { display: grid; gap: 12px }
.operation { display: grid; grid-template-columns: minmax(0, 1fr) minmax(0, 1fr); gap: 4px 24px }
.operation > * { min-width: 0 }
.operation h3 { margin: 0 } .operation .quiet { font-size: 14px }
.operation .facts { justify-content: flex-end; gap: 4px 20px; margin: 0 } .operation dd { font-size: 17px }
.operation .axis-title { grid-row: 3 } .operation .plot { grid-row: 2; margin-top: 8px }
@media screen and (max-width: 800px) { .operation { grid-template-columns: minmax(0, 1fr) } .operation .plot, .operation .axis-title { grid-row: auto } .operation .facts { justify-content: flex-start } }
.list li { display: flex; justify-content: space-between; gap: 16px; padding: 8px 0; border-top: 1px solid var(--line) }
.list li:first-child { border-top: 0 }
.list bdi { min-width: 0; overflow-wrap: anywhere } .list span { flex: none } .list li > span:first-child { flex: 1 }
ol.list { list-style: none }
.scroll { overflow-x: auto; max-height: 480px; overflow-y: auto }
table { border-collapse: collapse; width: 100%; font-size: 14px }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%) }
th, td { text-align: left; padding: 7px 16px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere }
tbody th { font-weight: 400; min-width: 10em }
thead th { position: sticky; top: 0; background: var(--ground); color: var(--quiet); font-weight: 400; box-shadow: inset 0 -1px var(--line); overflow-wrap: normal }
.id { white-space: nowrap }
.n { text-align: right; white-space: nowrap } thead .n { white-space: normal }
th:last-child, td:last-child { padding-right: 4px }
.plain th { color: var(--quiet); width: 9em; min-width: 7em }
summary { display: flex; align-items: center; min-height: 48px; color: var(--primary); cursor: pointer; font-size: 15px; gap: 8px }
summary::before { content: "+"; font-weight: 600; width: 1em; text-align: center } details[open] > summary::before { content: "−" }
summary::-webkit-details-marker { display: none }
.behind { margin-top: 8px; margin-bottom: -12px }
.behind[open] { margin-bottom: 0 }
pre { font-size: 13px; max-height: 420px; overflow: auto; white-space: pre-wrap; margin: 0 }
.side { display: inline-flex; align-items: center; justify-content: center; min-width: 28px; height: 28px; padding: 0 8px; border-radius: 10px; font-size: 15px; font-weight: 600; background: var(--primary); color: var(--ground) } .side.b { background: none; color: var(--ink); box-shadow: inset 0 0 0 2px var(--ink) }
.runs { margin-top: 28px } .runs h2 { display: flex; gap: 10px; align-items: center; font-size: 20px; margin-bottom: 8px; overflow-wrap: anywhere }
.tall { max-height: none } .group th { font-weight: 600; padding-top: 18px } .verdict { white-space: nowrap } .better { color: var(--free) } .worse { color: var(--error) }
.city { display: block; width: 100% } .three { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: 12px 20px }
@media (max-width: 800px) { .three { grid-template-columns: minmax(0, 1fr) } }
.violations { padding-left: 1.5em; list-style: decimal } .violations > li { padding: 12px 0; border-top: 1px solid var(--line) }
.remarks { list-style: disc; padding-left: 1.2em; margin-bottom: 12px }
.map { display: grid; grid-template-columns: minmax(0, 1.55fr) minmax(280px, 1fr); gap: 0; padding: 0; overflow: hidden }
.canvas { background: var(--surface); padding: 16px; display: flex; flex-direction: column; gap: 12px; min-width: 0 }
#map { display: block; width: 100%; max-height: 680px }
#cells path, .cells path { stroke: var(--ground); stroke-width: 1; vector-effect: non-scaling-stroke }
#cells .empty, .cells .empty { stroke: var(--surface) } #cells path:hover { stroke: var(--ink); stroke-width: 2 }
.dots { fill: none; stroke: var(--dot); stroke-width: 5; stroke-linecap: round; pointer-events: none; opacity: 0.7 }
.dots.stores { stroke-linecap: square; stroke-width: 6; stroke: var(--few); opacity: 1 }
.key .dots { stroke-width: 5 }
.refusal { fill: none; stroke: var(--error); stroke-width: 2; vector-effect: non-scaling-stroke; pointer-events: none }
.bar { stroke: var(--ink); stroke-width: 3; vector-effect: non-scaling-stroke }
.panel { padding: 20px; border-left: 1px solid var(--line); display: flex; flex-direction: column; gap: 16px; min-width: 0 }
.panel h3 { margin: 0 }
.now { display: grid; gap: 8px; min-height: 150px; align-content: start } .hour { font-size: 28px; line-height: 1.2; font-weight: 600; letter-spacing: -0.01em }
.panel .list li { padding: 6px 0; font-size: 15px } .canvas .note { margin: 0 } .panel .note { margin-top: 12px; min-height: 84px }
#fullest { min-height: 190px; margin-top: 4px }
.control { display: flex; align-items: center; gap: 12px } .control[hidden], .check[hidden] { display: none }
.check { display: flex; align-items: center; gap: 10px; min-height: 48px; font-size: 15px; margin: -8px 0 }
input[type="checkbox"] { width: 20px; height: 20px; accent-color: var(--primary); flex: none }
input[type="range"] { flex: 1; min-width: 0; height: 48px; accent-color: var(--primary); cursor: pointer }
button { font: inherit; font-weight: 600; min-height: 48px; min-width: 112px; padding: 0 18px; border: 0; border-radius: 12px; background: var(--primary); color: var(--ground); cursor: pointer }
.levels { display: grid; grid-template-columns: repeat(auto-fill, minmax(140px, 1fr)); margin: 0 }
.hours { display: none }
@media (max-width: 800px) { .map { grid-template-columns: minmax(0, 1fr) } .panel { border-left: 0; border-top: 1px solid var(--line) } }
@media (max-width: 480px) { main { padding: 16px 16px 48px } .card { padding: 16px; border-radius: 14px } .map { padding: 0 } section { margin-top: 44px } .headline { grid-template-columns: 1fr 1fr } .headline .fact { padding: 16px } .headline dd { font-size: 28px } .headline dt { font-size: 14px } .story { font-size: 17px } .operation .facts { gap: 4px 16px } }
@media print {
  :root { color-scheme: light; --ground: #fff; --surface: #fff; --line: #c9d1cf; --ink: #000; --quiet: #444; --primary: #0b5a4e; --soft: #fff; --free: #145f38; --few: #6d4200; --error: #8c1d17; --off: #5b6470; --l0: #e3f2ef; --l1: #b5dcd4; --l2: #74b9ac; --l3: #2f8f80; --l4: #0a4f45; --empty: #f0f2f1; --dot: #000; --free-soft: #fff; --few-soft: #fff; --error-soft: #fff }
  @page { margin: 14mm }
  body { font-size: 11pt; print-color-adjust: exact; -webkit-print-color-adjust: exact }
  main { max-width: none; padding: 0 }
  nav, .control, .check, .behind, #cell { display: none !important }
  section { margin-top: 24pt; break-inside: auto } h2, h3, .lead { break-after: avoid; break-inside: avoid }
  .card, .fact, .plot, tr, figure { break-inside: avoid } .scroll { max-height: none; overflow: visible }
  .pill { border: 1px solid currentColor }
  .headline { grid-template-columns: repeat(3, 1fr) } .headline dd { font-size: 24pt }
  .grid { grid-template-columns: repeat(2, minmax(0, 1fr)) } .grid.thirds { grid-template-columns: repeat(3, minmax(0, 1fr)) }
  .map { grid-template-columns: minmax(0, 1.55fr) minmax(0, 1fr) } .panel { border-left: 1px solid var(--line); border-top: 0 } #fullest { min-height: 0 }
  thead th { position: static } table { font-size: 9pt } th, td { padding: 4px 10px 4px 0 } tbody th { min-width: 6em } .story { font-size: 11.5pt; line-height: 1.5 } .axis-title, .note { font-size: 9pt }
  .hours { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 6pt; margin-top: 12pt }
  .hours svg { display: block; width: 100% } .hours figcaption { font-size: 8pt; text-align: center } .hours .refusal { stroke-width: 1 }
}
`;
