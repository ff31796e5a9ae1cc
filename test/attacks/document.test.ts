// docs/attacks.md lists every attack that is made here: UPDATE_GOLDEN=1 writes the list anew.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { allAttacks } from './support/all-attacks.ts';
import type { Attack } from './support/arena.ts';

const DOCUMENT = path.resolve(import.meta.dirname, '../../docs/attacks.md');
const BEGIN = '<!-- cases: written by UPDATE_GOLDEN=1 npm test -- attacks/document -->\n';
const END = '<!-- cases: end -->';

/** Both families of an attack share a row. */
function rows(file: string, attacks: readonly Attack[]): string[] {
  const lines = attacks.map(({ name, defence, reason }) => {
    const attack = name.replace(/ \(IPv[46]\)$/, '').replaceAll('|', '\\|');
    return `| ${attack} | cases/${file} | ${defence} | \`${reason}\` |\n`;
  });
  return [...new Set(lines)];
}

it('lists every attack with its defence and reason', () => {
  const table = Object.entries(allAttacks).flatMap(([file, attacks]) => rows(file, attacks));
  const text = readFileSync(DOCUMENT, 'utf8');
  const from = text.indexOf(BEGIN) + BEGIN.length;
  const to = text.indexOf(END);
  const list = `\n| attack | case | defence | reason |\n|---|---|---|---|\n${table.join('')}\n`;
  if (process.env.UPDATE_GOLDEN === '1') writeFileSync(DOCUMENT, `${text.slice(0, from)}${list}${text.slice(to)}`);
  else expect(text.slice(from, to)).toBe(list);
});

it('names no attack twice', () => {
  const names = Object.values(allAttacks).flatMap((attacks) => attacks.map(({ name }) => name));
  expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  expect(names.length).toBeGreaterThan(60);
});
