// A matrix as one HTML file that needs nothing else: a real table, usable by keyboard and without a script, in light and
// dark, on paper too. The script only moves the focus by arrow keys and shows a cell's rule in the panel.
import type { Matrix, MatrixCell, MatrixGroup, MatrixVerdict } from '../../analysis/matrix.ts';
import type { Decider } from '../../analysis/simulate-judge.ts';
import { escapeHtml } from './escape.ts';

export interface MatrixPage {
  readonly title: string;
  /** Sentences under the title. */
  readonly notes: readonly string[];
  readonly matrix: Matrix;
  /** Show what staged policies would change. */
  readonly showsPending: boolean;
}

const SIGNS: Readonly<Record<MatrixVerdict, string>> = { allow: '✓', deny: '✕', mixed: '◐', none: '–' };
const MEANINGS: Readonly<Record<MatrixVerdict, string>> = {
  allow: 'the connection is allowed',
  deny: 'the connection is denied',
  mixed: 'it depends on the address, mostly on its family',
  none: 'no policy is asked: neither is a workload, or no address family in common',
};

/** The whole document. */
export function renderMatrixPage({ title, notes, matrix, showsPending }: MatrixPage): string {
  const heading = escapeHtml(title);
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<title>${heading}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>${heading}</h1>
${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join('\n')}
${renderLegend(matrix, showsPending)}
<div class="scroll" role="region" aria-label="Matrix" tabindex="0">
<table>
<caption>Rows are sources, columns are destinations. Arrow keys move between cells.</caption>
<thead>
<tr><td></td>${matrix.columns.map((group) => renderHeader(group, 'col')).join('')}</tr>
</thead>
<tbody>
${matrix.rows.map((group, row) => renderRow(group, row, matrix, showsPending)).join('\n')}
</tbody>
</table>
</div>
<section id="detail" aria-live="polite" aria-label="Deciding rule"><p>Choose a cell to see which rule decides.</p></section>
${renderGroups('Sources', matrix.rows)}
${renderGroups('Destinations', matrix.columns)}
</main>
<script>${SCRIPT}</script>
</body>
</html>
`;
}

function renderLegend({ cells }: Matrix, showsPending: boolean): string {
  const shown = new Set<MatrixVerdict>(cells.flat().map(({ verdict }) => verdict));
  const items = (Object.keys(MEANINGS) as MatrixVerdict[])
    .filter((verdict) => shown.has(verdict))
    .map((verdict) => `<li><span class="${verdict}">${SIGNS[verdict]} ${verdict}</span> ${MEANINGS[verdict]}</li>`);
  const pending = '<li><span class="changes">→</span> what staged policies would make of it</li>';
  return `<ul class="legend" aria-label="Legend">${items.join('')}${showsPending ? pending : ''}</ul>`;
}

function renderHeader({ label, members }: MatrixGroup, scope: 'col' | 'row'): string {
  return `<th scope="${scope}" title="${escapeHtml(members.slice(0, 50).join('\n'))}">${escapeHtml(label)}</th>`;
}

function renderRow(group: MatrixGroup, row: number, matrix: Matrix, showsPending: boolean): string {
  const cells = (matrix.cells[row] ?? []).map((cell, column) => {
    const to = matrix.columns[column]?.label ?? '';
    return renderCell(cell, `${group.label} → ${to}`, row === 0 && column === 0, showsPending);
  });
  return `<tr>${renderHeader(group, 'row')}${cells.join('')}</tr>`;
}

function renderCell(cell: MatrixCell, pair: string, isFirst: boolean, showsPending: boolean): string {
  const { verdict } = cell;
  const pending = showsPending ? cell.pending : undefined;
  const text =
    pending === undefined
      ? `${SIGNS[verdict]} ${verdict}`
      : `${SIGNS[verdict]} ${verdict} → <span class="${pending}">${SIGNS[pending]} ${pending}</span>`;
  const detail = escapeHtml(describeCell(cell, pair, showsPending));
  const classes = pending === undefined ? verdict : `${verdict} changes`;
  // One cell is in the order of tabs, arrow keys reach the others.
  const tab = isFirst ? 0 : -1;
  return `<td class="${classes}"><button type="button" tabindex="${tab}" title="${detail}">${text}</button></td>`;
}

function describeCell(cell: MatrixCell, pair: string, showsPending: boolean): string {
  const { verdict, families, decidedBy, pending, pendingDecidedBy = [] } = cell;
  const lines = [`${pair}: ${verdict}`];
  if (families !== undefined) lines.push(`IPv4: ${families.ipv4}, IPv6: ${families.ipv6}`);
  lines.push(...decidedBy.map(describeDecider));
  if (showsPending && pending !== undefined) {
    lines.push(`with staged policies: ${pending}`, ...pendingDecidedBy.map(describeDecider));
  }
  return lines.join('\n');
}

function describeDecider({ direction, rule, where }: Decider): string {
  return `${direction}: ${rule}${where === undefined ? '' : ` (${where})`}`;
}

/** Only groups that hide names. */
function renderGroups(title: string, groups: readonly MatrixGroup[]): string {
  const hidden = groups.filter(({ members }) => members.length > 1);
  if (hidden.length === 0) return '';
  const items = hidden.map(({ label, members }) => {
    const names = members.map((name) => `<li>${escapeHtml(name)}</li>`).join('');
    return `<details><summary>${escapeHtml(label)}</summary><ul>${names}</ul></details>`;
  });
  return `<section class="groups"><h2>${title}</h2>${items.join('')}</section>`;
}

const STYLE = `
:root { color-scheme: light dark; --text: #1b1f24; --back: #fff; --line: #c9d1d9; --allow: #d3f0da; --deny: #fbdcdc;
  --mixed: #fdf0c4; --none: #eceff2; --focus: #0b57d0; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --back: #0d1117; --line: #3d444d; --allow: #12401f;
  --deny: #5a1a1d; --mixed: #4d3c06; --none: #21262d; --focus: #79b8ff; } }
body { margin: 0; background: var(--back); color: var(--text); font: 15px/1.45 system-ui, sans-serif; }
main { padding: 1rem 1.5rem; }
h1 { font-size: 1.35rem; }
h2 { font-size: 1.1rem; }
.legend { list-style: none; padding: 0; display: flex; flex-wrap: wrap; gap: .4rem 1.5rem; }
.legend span { padding: .1rem .5rem; border-radius: .25rem; }
.scroll { overflow: auto; max-height: 75vh; }
table { border-collapse: separate; border-spacing: 0; }
caption { text-align: left; padding: .4rem 0; }
th, td { border: 1px solid var(--line); padding: 0; }
th { padding: .35rem .6rem; font-weight: 600; background: var(--back); text-align: left; max-width: 16rem;
  overflow-wrap: anywhere; }
thead th, thead td { position: sticky; top: 0; z-index: 1; background: var(--back); }
tbody th { position: sticky; left: 0; }
button { all: unset; box-sizing: border-box; display: block; width: 100%; padding: .35rem .6rem; white-space: nowrap;
  cursor: pointer; }
button:focus-visible, .scroll:focus-visible, summary:focus-visible { outline: 3px solid var(--focus);
  outline-offset: -3px; }
.allow { background: var(--allow); } .deny { background: var(--deny); } .mixed { background: var(--mixed); }
.none { background: var(--none); } .changes { font-weight: 600; }
#detail { min-height: 5rem; margin: 1rem 0; padding: .6rem 1rem; border: 1px solid var(--line); white-space: pre-wrap;
  overflow-wrap: anywhere; }
#detail p { margin: 0; }
@media print { .scroll { overflow: visible; max-height: none; } thead th, thead td, tbody th { position: static; }
  #detail { display: none; } td, .legend span { print-color-adjust: exact; } thead { display: table-header-group; }
  tr { break-inside: avoid; } }
`;

const SCRIPT = `
'use strict';
const rows = [...document.querySelectorAll('tbody tr')].map((row) => [...row.querySelectorAll('button')]);
const panel = document.querySelector('#detail p');
let current = rows[0] && rows[0][0];
const place = (button) => {
  const row = rows.findIndex((buttons) => buttons.includes(button));
  return [row, row < 0 ? -1 : rows[row].indexOf(button)];
};
const show = (button) => { panel.textContent = button.title; };
document.querySelector('tbody').addEventListener('focusin', (event) => {
  if (!(event.target instanceof HTMLButtonElement)) return;
  if (current) current.tabIndex = -1;
  current = event.target;
  current.tabIndex = 0;
  show(current);
});
document.querySelector('tbody').addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button) { button.focus(); show(button); }
});
document.querySelector('tbody').addEventListener('keydown', (event) => {
  const [row, column] = place(event.target);
  if (row < 0) return;
  const last = rows[row].length - 1;
  const next = {
    ArrowUp: [row - 1, column], ArrowDown: [row + 1, column], ArrowLeft: [row, column - 1],
    ArrowRight: [row, column + 1], Home: [row, 0], End: [row, last],
    PageUp: [0, column], PageDown: [rows.length - 1, column],
  }[event.key];
  const button = next && rows[next[0]] && rows[next[0]][next[1]];
  if (!button) return;
  event.preventDefault();
  button.focus();
});
`;
