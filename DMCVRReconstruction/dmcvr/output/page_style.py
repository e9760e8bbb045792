"""The look of the report: one style sheet, light and dark, on screen and on paper."""

STYLE = """
:root { color-scheme: light dark; --ground: #ffffff; --text: #1c2530; --soft: #5b6673; --line: #d9dee4;
  --card: #f5f7f9; --accent: #00628f; --warn: #fff4d6; --warn-line: #d79b00; --frame: #e0a100; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181d; --text: #e6eaee; --soft: #9aa6b2;
  --line: #323a43; --card: #1d2329; --accent: #6cc0ea; --warn: #3a2f10; --warn-line: #d79b00; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 3rem; max-width: 76rem; background: var(--ground);
  color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 1.65rem; line-height: 1.2; margin: 0 0 .3rem; font-weight: 650; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-bottom: .3rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.2rem 0 .5rem; }
p { margin: .4rem 0; max-width: 60rem; }
.soft, figcaption, caption { color: var(--soft); font-size: .87rem; }
.notice, .warnings { margin: 1rem 0; padding: .7rem 1rem; border-radius: .4rem; border-left: 4px solid; }
.notice { background: var(--card); border-color: var(--accent); }
.warnings { background: var(--warn); border-color: var(--warn-line); }
.warnings ul { margin: .3rem 0 0; padding-left: 1.2rem; }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; margin: .5rem 0; padding: 0; list-style: none; }
.key i { display: inline-block; width: 1.4em; height: .24em; margin-right: .45em; vertical-align: middle;
  border-radius: 1px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
figure { margin: 0; }
figure img { display: block; width: 100%; height: auto; background: #000; }
.row { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: .8rem; }
.row.three { grid-template-columns: repeat(3, minmax(0, 1fr)); }
.slices { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.2rem, 1fr)); gap: .6rem; }
.slices img { border: 3px solid transparent; }
.slices .acquired img { border-color: var(--frame); }
.slices .acquired figcaption { color: var(--text); font-weight: 600; }
.slices figcaption { font-size: .78rem; }
table { border-collapse: collapse; margin: .6rem 0; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { padding: .3rem .9rem .3rem 0; text-align: left; border-bottom: 1px solid var(--line);
  vertical-align: top; }
thead th { font-size: .87rem; color: var(--soft); font-weight: 600; }
tbody th { font-weight: 500; }
.number { text-align: right; font-variant-numeric: tabular-nums; padding-left: .9rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(20rem, 1fr)); gap: 0 2.5rem; }
.facts table { width: 100%; }
.facts tbody th { width: 11rem; color: var(--soft); }
code { font: .85em ui-monospace, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.curve { width: 100%; max-width: 46rem; height: auto; }
.curve text { fill: var(--soft); font-size: 12px; }
.curve .grid { stroke: var(--line); }
.curve .mark { stroke: var(--soft); stroke-dasharray: 2 3; }
.curve polyline { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
@media (max-width: 44rem) { .row, .row.three { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media print { :root { --ground: #fff; --text: #000; --soft: #444; --line: #bbb; --card: #f5f5f5;
  --warn: #fff4d6; }
  body { padding: 0; font-size: 10.5pt; max-width: none; } figure, tr, .row, .notice, .warnings
  { break-inside: avoid; } h2, h3 { break-after: avoid; } .row, .slices { gap: .35rem; }
  .slices { grid-template-columns: repeat(8, 1fr); } img { print-color-adjust: exact; } }
"""
