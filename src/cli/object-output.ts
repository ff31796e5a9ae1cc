// Objects as commands show them: one, or lists of several kinds, in every format of -o.
import type { Manifest } from '../agent/store/manifest.ts';
import type { ResourceType } from '../resources/resource.ts';
import { type CustomColumn, cellsOf } from './custom-columns.ts';
import { evaluateTemplate } from './jsonpath/evaluate.ts';
import { qualifiedKind } from './kind-names.ts';
import { at, columnsOf, labelsText } from './object-columns.ts';
import type { ObjectFormat } from './object-options.ts';
import { formatTable } from './output.ts';

export interface ObjectGroup {
  readonly type: ResourceType;
  readonly items: readonly Manifest[];
}

export interface TableStyle {
  readonly isWide: boolean;
  readonly hasNamespaces: boolean;
  readonly hasLabels: boolean;
  readonly hasHeaders: boolean;
  /** `tier.projectcalico.org/a` rather than `a`. */
  readonly hasKinds: boolean;
}

/** Text of one object, or of a list of them where `isList`. No newline at its end but for jsonpath, which has its own. */
export async function formatObjects(
  groups: readonly ObjectGroup[],
  format: ObjectFormat,
  style: TableStyle,
  isList: boolean,
): Promise<string> {
  const items = groups.flatMap((group) => group.items);
  if (format.kind === 'name') return items.map(qualifiedName).join('\n');
  if (format.kind === 'table' || format.kind === 'wide') {
    const shown = groups.filter((group) => group.items.length > 0);
    return shown.map((group) => formatGroup(group, style)).join('\n\n');
  }
  if (format.kind === 'custom-columns') return formatCustomColumns(items, format.columns, style.hasHeaders);
  return formatData(isList ? listOf(items) : items[0], format);
}

/** `networkpolicy.projectcalico.org/name`. */
export function qualifiedName(object: Manifest): string {
  return `${qualifiedKind(object)}/${nameOf(object)}`;
}

/** The header of a table of such objects. */
export function headerOf(type: ResourceType, { isWide, hasNamespaces, hasLabels }: TableStyle): readonly string[] {
  return [
    ...(hasNamespaces ? ['NAMESPACE'] : []),
    'NAME',
    ...columnsOf(type, isWide).map(({ title }) => title),
    ...(hasLabels ? ['LABELS'] : []),
  ];
}

export function rowOf(type: ResourceType, object: Manifest, style: TableStyle, now = new Date()): readonly string[] {
  return [
    ...(style.hasNamespaces ? [String(at(object, 'metadata', 'namespace') ?? '')] : []),
    style.hasKinds ? qualifiedName(object) : nameOf(object),
    ...columnsOf(type, style.isWide).map(({ cell }) => cell(object, now)),
    ...(style.hasLabels ? [labelsText(at(object, 'metadata', 'labels'))] : []),
  ];
}

/** JSON, YAML, or what a template or columns find in it. */
export async function formatData(data: unknown, format: ObjectFormat): Promise<string> {
  if (format.kind === 'jsonpath') return evaluateTemplate(format.template, data);
  if (format.kind === 'custom-columns') return formatCustomColumns([data], format.columns, true);
  if (format.kind === 'json') return JSON.stringify(data, null, 2);
  const { stringify } = await import('yaml');
  return stringify(data, { aliasDuplicateObjects: false }).trimEnd();
}

export function nameOf(object: Manifest): string {
  return String(at(object, 'metadata', 'name'));
}

function formatGroup({ type, items }: ObjectGroup, style: TableStyle): string {
  const rows = items.map((item) => rowOf(type, item, style));
  return formatRows(headerOf(type, style), rows, style.hasHeaders);
}

/** A table of objects of any kind. */
export function formatCustomColumns(
  items: readonly unknown[],
  columns: readonly CustomColumn[],
  hasHeader: boolean,
): string {
  const rows = items.map((item) => cellsOf(item, columns));
  return formatRows(
    columns.map(({ title }) => title),
    rows,
    hasHeader,
  );
}

function formatRows(header: readonly string[], rows: readonly (readonly string[])[], hasHeader: boolean): string {
  const text = formatTable(header, rows);
  return hasHeader ? text : text.slice(text.indexOf('\n') + 1);
}

function listOf(items: readonly Manifest[]): object {
  return { apiVersion: 'v1', kind: 'List', metadata: { resourceVersion: '' }, items };
}
