// The tables of docs/configuration.md: whatever stands between two marks is written anew from the settings and from what becomes
// of each field of FelixConfiguration. The text around them is written by hand.
//
//   <!-- table settings|limits|felix-used|felix-protective|felix-ignored -->
//   ...
//   <!-- /table -->
import { PROTECTIVE_FIELDS } from '../src/agent/config/felix-safety.ts';
import type { ChangeTime, Setting } from '../src/agent/config/setting.ts';
import { ALL_SETTINGS, LIMITS_KEY } from '../src/agent/config/settings.ts';
import { UNUSED_FELIX_FIELDS } from '../src/resources/schemas/felix-configuration.ts';

const MARKED = /(<!-- table (\S+) -->\n)[\s\S]*?(<!-- \/table -->)/g;

const TABLES: Readonly<Record<string, () => string[]>> = {
  settings: settingsTable,
  limits: limitsTable,
  'felix-used': usedFieldsTable,
  'felix-protective': () => [`${sentence(PROTECTIVE_FIELDS)}.`],
  'felix-ignored': ignoredFieldsTable,
};

const CHANGES: Readonly<Record<ChangeTime, string>> = {
  live: 'at once',
  restart: 'restart',
  cleanup: '`tortie cleanup`, restart',
};

/** The page with its tables as the source has them. Throws for a mark that names no table. */
export function fillConfigurationTables(page: string): string {
  return page.replaceAll(MARKED, (_, open: string, name: string, close: string) => {
    const table = TABLES[name];
    if (table === undefined) throw new Error(`docs/configuration.md: no table is called ${name}`);
    return `${open}\n${table().join('\n')}\n\n${close}`;
  });
}

function settingsTable(): string[] {
  const rows = [...ALL_SETTINGS]
    .filter(([name]) => !name.startsWith(LIMITS_KEY))
    .map(([name, setting]) => [
      `\`${name}\``,
      `\`${setting.flag}\`<br>\`${setting.variable}\``,
      setting.felix === undefined ? '' : sentence(fieldsOf(setting.felix)),
      setting.type.expected,
      defaultOf(setting),
      CHANGES[setting.change],
      setting.meaning.replaceAll('<', '&lt;'),
    ]);
  return table(
    ['file', 'flag, environment', 'FelixConfiguration', 'value', 'default', 'change counts after', 'meaning'],
    rows,
  );
}

function limitsTable(): string[] {
  const rows = [...ALL_SETTINGS]
    .filter(([name]) => name.startsWith(LIMITS_KEY))
    .map(([name, setting]) => [`\`${name}\``, `\`${setting.variable}\``, defaultOf(setting)]);
  return table(['file', 'environment', 'default'], rows);
}

function usedFieldsTable(): string[] {
  const rows = [...ALL_SETTINGS].flatMap(([name, { felix }]) =>
    felix === undefined ? [] : [[sentence(fieldsOf(felix)), `\`${name}\``, felix.meaning ?? 'as written']],
  );
  return table(['field', 'setting', 'values'], rows);
}

function fieldsOf({ field, others = [] }: NonNullable<Setting['felix']>): string[] {
  return [field, ...others];
}

function ignoredFieldsTable(): string[] {
  const byReason = new Map<string, string[]>();
  for (const [field, reason] of UNUSED_FELIX_FIELDS) {
    const fields = byReason.get(reason) ?? [];
    byReason.set(reason, fields);
    fields.push(field);
  }
  const rows = [...byReason].map(([reason, fields]) => [reason, sentence(fields.sort())]);
  return table(['why', 'fields'], rows);
}

function defaultOf({ default: value }: Setting): string {
  if (typeof value === 'function') return 'see meaning';
  return value === '' ? 'none' : `\`${value}\``;
}

function sentence(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(', ');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(line)];
}
