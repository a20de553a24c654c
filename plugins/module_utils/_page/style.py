# Copyright: Contributors to mirrorops.event_streams
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How pages look: dark and light, on paper and on narrow screens. Private to this collection: it may change at any time."""

from __future__ import annotations

LINES = 8
"""How many lines of a chart can be told apart, by colour and by dashes."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f7f9; --rule: #d5dbe3; --text: #1b2430; --soft: #556170;
  --pass: #0b6b3f; --warn: #8a5200; --fail: #b3261e; --unknown: #556170;
  --line-1: #1f5fbf; --line-2: #b3470e; --line-3: #0b7a53; --line-4: #8a3ab9;
  --line-5: #8a6500; --line-6: #0b7585; --line-7: #b4246e; --line-8: #556170;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #12171e; --panel: #1a212b; --rule: #35404e; --text: #e4e9f0; --soft: #a3afbf;
    --pass: #5fd3a2; --warn: #f0b860; --fail: #ff8f85; --unknown: #a3afbf;
    --line-1: #7fb2ff; --line-2: #ff9d6b; --line-3: #5fd3a2; --line-4: #cf9bff;
    --line-5: #e6bd5c; --line-6: #5ed3e0; --line-7: #ff8dc1; --line-8: #b5bfcc;
  }
}
* { box-sizing: border-box; }
html { background: var(--paper); color: var(--text); font: 16px/1.5 system-ui, sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .25rem; }
h1 .region { color: var(--soft); font-weight: 400; }
h2 { font-size: 1.125rem; margin: 2.5rem 0 .75rem; }
p { margin: 0 0 .75rem; max-width: 48rem; }
p, li, dt { overflow-wrap: anywhere; }
.soft, figcaption { color: var(--soft); }
.name { overflow-wrap: anywhere; }
dl { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 1.25rem 0 0; padding: .75rem 1rem; background: var(--panel);
  border-radius: .5rem; }
dl div { min-width: 0; }
dl + p, .scroll + p { margin-top: 1.25rem; }
dt { color: var(--soft); font-size: .875rem; }
dd { margin: 0; overflow-wrap: anywhere; }
.badge { display: inline-block; padding: 0 .5rem; border: 1px solid; border-radius: .375rem; font-size: .875rem; font-weight: 600;
  white-space: nowrap; }
.pass { color: var(--pass); } .warn { color: var(--warn); } .fail { color: var(--fail); } .unknown { color: var(--unknown); }
.scroll { overflow-x: auto; border: 1px solid var(--rule); border-radius: .5rem; }
.compact { width: fit-content; max-width: 100%; }
table { border-collapse: collapse; width: 100%; font-size: .9375rem; }
th, td { padding: .5rem .75rem; text-align: left; vertical-align: top; border-top: 1px solid var(--rule); overflow-wrap: break-word; }
thead th { border-top: 0; background: var(--panel); color: var(--soft); font-size: .875rem; font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.compact th, .compact td { padding-left: 1rem; padding-right: 1rem; }
td p { margin: .25rem 0 0; overflow-wrap: anywhere; }
td p:first-child { margin: 0; }
td .name { display: inline-block; min-width: 7rem; }
td p .name { display: inline; }
.when { white-space: nowrap; }
.label { display: none; color: var(--soft); }
summary { cursor: pointer; margin: 1rem 0 .5rem; font-weight: 600; }
figure { margin: 0; }
figcaption { margin-bottom: .25rem; }
.plot { position: relative; height: 15rem; margin: .75rem 1rem 1.75rem 5.25rem; font-size: .8125rem; line-height: 1.25rem; color: var(--soft); }
.plot > svg { display: block; width: 100%; height: 100%; overflow: visible; }
.plot > span { position: absolute; white-space: nowrap; }
.plot > .value { right: 100%; margin-right: .5rem; transform: translateY(50%); }
.plot > .time { top: 100%; margin-top: .25rem; transform: translateX(-50%); }
.plot > .most { right: 0; margin: 2px 0; padding: 0 .375rem; color: var(--fail); font-weight: 600; background: var(--paper); border-radius: .25rem;
  opacity: .92; }
svg path, svg line { fill: none; vector-effect: non-scaling-stroke; }
.grid { stroke: var(--rule); stroke-width: 1; }
.axis { stroke: var(--soft); stroke-width: 1; }
.limit { stroke: var(--fail); stroke-width: 1.5; stroke-dasharray: 6 4; }
.line { stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
.line-1 { stroke: var(--line-1); }
.line-2 { stroke: var(--line-2); stroke-dasharray: 9 5; }
.line-3 { stroke: var(--line-3); stroke-dasharray: 1 5; }
.line-4 { stroke: var(--line-4); stroke-dasharray: 10 5 1 5; }
.line-5 { stroke: var(--line-5); stroke-dasharray: 16 5; }
.line-6 { stroke: var(--line-6); stroke-dasharray: 4 5; }
.line-7 { stroke: var(--line-7); stroke-dasharray: 10 5 1 5 1 5; }
.line-8 { stroke: var(--line-8); stroke-dasharray: 16 5 4 5; }
.legend { list-style: none; margin: 0 0 .75rem; padding: 0; display: flex; flex-wrap: wrap; gap: .25rem 2rem; font-size: .9375rem; }
.legend li { display: flex; gap: .625rem; align-items: flex-start; max-width: 100%; }
.legend div { display: flex; flex-wrap: wrap; gap: 0 .5rem; min-width: 0; }
.legend svg { flex: none; width: 2.25rem; height: .625rem; margin-top: .4375rem; }
.legend .name { max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
@media (max-width: 40rem) {
  main { padding: 1.25rem 1rem 2rem; }
  h1 { font-size: 1.25rem; }
  th, td, .compact th, .compact td { padding: .375rem .5rem; font-size: .875rem; }
  td .name { min-width: 5.5rem; }
  .told thead { display: none; }
  .told tr { display: block; border-top: 1px solid var(--rule); padding: .375rem 0; }
  .told tr:first-child { border-top: 0; }
  .told td { display: inline-block; border: 0; padding: .125rem .5rem; }
  .told td:last-child { display: block; }
  .sides td { display: block; }
  .sides td:first-child { font-weight: 600; }
  .label { display: inline; }
  .plot { margin-left: 4.5rem; height: 13rem; }
}
@media print {
  main { max-width: none; padding: 0; }
  .scroll { overflow: visible; }
  figure, tr { break-inside: avoid; }
}
"""
