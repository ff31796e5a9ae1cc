// A proposal as YAML with comments, for people to read and to edit; the same proposal is always the same text.
import { manifestOfProposed, type Proposal, type ProposedObject, type ProposedRule } from './proposal.ts';

const INDENT = '  ';
/** Text that YAML reads as that text, and as nothing else. */
const PLAIN = /^[A-Za-z][A-Za-z0-9._/-]*$/;
const OTHER_MEANING = /^(?:true|false|null|yes|no|on|off|y|n)$/i;
const PREFIX = /^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/;

/** A YAML stream. */
export function proposalText({ why, objects }: Proposal): string {
  return [...comment(why, ''), ...objects.flatMap(objectLines), ''].join('\n');
}

function objectLines(object: ProposedObject): string[] {
  const { rules = {} } = object;
  const { apiVersion, kind, metadata } = manifestOfProposed(object);
  const head = mapLines({ apiVersion, kind, metadata, spec: object.spec }, '');
  const lists = Object.entries(rules).flatMap(([direction, list]) => [
    `${INDENT}${direction}:${list.length === 0 ? ' []' : ''}`,
    ...list.flatMap((each) => ruleLines(each, INDENT.repeat(2))),
  ]);
  return ['---', ...comment(object.why, ''), ...head, ...lists];
}

function ruleLines({ why, rule }: ProposedRule, indent: string): string[] {
  return [...comment(why, indent), ...itemLines(rule, indent)];
}

function itemLines(value: Readonly<Record<string, unknown>>, indent: string): string[] {
  const [first = '', ...rest] = mapLines(value, `${indent}${INDENT}`);
  return [`${indent}- ${first.trimStart()}`, ...rest];
}

function mapLines(value: object, indent: string): string[] {
  return Object.entries(value).flatMap(([name, item]) => {
    const key = `${indent}${scalar(name)}:`;
    if (Array.isArray(item)) return listLines(key, item, indent);
    if (typeof item === 'object' && item !== null) return [key, ...mapLines(item, `${indent}${INDENT}`)];
    return [`${key} ${scalar(item)}`];
  });
}

/** Short lists of scalars in one line, long ones one a line: they are edited by hand. */
function listLines(key: string, items: readonly unknown[], indent: string): string[] {
  const texts = items.map(scalar);
  if (texts.join(', ').length <= 80) return [`${key} [${texts.join(', ')}]`];
  return [key, ...texts.map((text) => `${indent}${INDENT}- ${text}`)];
}

function scalar(value: unknown): string {
  if (typeof value !== 'string') return JSON.stringify(value);
  const isPlain = (PLAIN.test(value) && !OTHER_MEANING.test(value)) || PREFIX.test(value);
  return isPlain ? value : JSON.stringify(value);
}

function comment(lines: readonly string[], indent: string): string[] {
  return lines.map((line) => `${indent}#${line === '' ? '' : ` ${line}`}`);
}
