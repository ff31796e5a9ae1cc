// The configuration file: one YAML mapping of settings by name, limits in a mapping of their own.
import { readFileSync } from 'node:fs';
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import { DataplaneError } from '../../base/errors.ts';
import { nearestName } from '../../resources/nearest.ts';
import { quoteValue } from '../../resources/report.ts';
import type { LayerReading } from './environment.ts';
import type { GivenValue } from './layer.ts';
import { ALL_SETTINGS, LIMITS_KEY } from './settings.ts';

export const DEFAULT_CONFIG_FILE = '/etc/tortie/tortie.yaml';
const MAX_BYTES = 1024 * 1024;

/** The text of the file; undefined = there is none, and none is required. Throws FILE_UNREADABLE and FILE_TOO_LARGE. */
export function readConfigFile(file: string, isRequired: boolean): string | undefined {
  const about = { operation: 'read configuration', target: file };
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' && !isRequired) return undefined;
    throw new DataplaneError('FILE_UNREADABLE', `cannot be read: ${code}`, { ...about, cause });
  }
  if (bytes.length <= MAX_BYTES) return bytes.toString('utf8');
  throw new DataplaneError('FILE_TOO_LARGE', 'is too large', {
    ...about,
    found: `${bytes.length} bytes`,
    expected: `at most ${MAX_BYTES}`,
  });
}

/** What the text says. Any error means that nothing of it is to be used. */
export function parseConfigFile(text: string, file: string): LayerReading {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  const reader = new ConfigFileReader(file, lines);
  for (const { message, pos } of document.errors) {
    reader.refuse('YAML_SYNTAX', message.charAt(0).toLowerCase() + message.slice(1), pos[0]);
  }
  if (document.errors.length === 0) reader.readRoot(document.contents);
  return { layer: reader.layer, errors: reader.errors };
}

class ConfigFileReader {
  readonly layer = new Map<string, GivenValue>();
  readonly errors: DataplaneError[] = [];
  readonly #file: string;
  readonly #lines: LineCounter;

  constructor(file: string, lines: LineCounter) {
    this.#file = file;
    this.#lines = lines;
  }

  /** An empty file says nothing. */
  readRoot(contents: Node | null): void {
    if (contents === null || (isScalar(contents) && contents.value === null)) return;
    if (isMap(contents)) this.#readPairs(contents.items, '');
    else {
      this.refuse('INVALID_FIELD', 'is not a mapping', contents.range?.[0] ?? 0, {
        expected: 'settings by name: docs/configuration.md',
      });
    }
  }

  refuse(
    code: 'YAML_SYNTAX' | 'INVALID_FIELD' | 'UNKNOWN_FIELD',
    what: string,
    at: number,
    details: { field?: string; found?: string; expected?: string; hint?: string } = {},
  ): void {
    const place = { operation: 'read', target: 'configuration', file: this.#file, line: this.#lineAt(at) };
    this.errors.push(new DataplaneError(code, what, { ...place, ...details }));
  }

  #readPairs(pairs: readonly Pair[], prefix: string): void {
    for (const { key, value } of pairs as readonly Pair<Node, Node | null>[]) {
      const written = isScalar(key) ? String(key.value) : '';
      const name = `${prefix}${written}`;
      const at = key.range?.[0] ?? 0;
      if (name === LIMITS_KEY) this.#readLimits(value, at);
      else this.#readSetting(name, written, prefix, value, at);
    }
  }

  #readLimits(value: Node | null, at: number): void {
    if (isMap(value)) this.#readPairs(value.items, `${LIMITS_KEY}.`);
    else if (!isScalar(value) || value.value !== null) {
      this.refuse('INVALID_FIELD', 'invalid value', at, { field: LIMITS_KEY, expected: 'a mapping of limits by name' });
    }
  }

  #readSetting(name: string, written: string, prefix: string, value: Node | null, at: number): void {
    const setting = ALL_SETTINGS.get(name);
    if (setting === undefined) {
      const names = [...ALL_SETTINGS.keys()].filter((one) => one.startsWith(prefix));
      const nearest = nearestName(
        written,
        names.map((one) => one.slice(prefix.length)),
      );
      const hint = nearest === undefined ? 'docs/configuration.md has all of them' : `did you mean ${nearest}?`;
      this.refuse('UNKNOWN_FIELD', 'no such setting', at, { field: name, hint });
      return;
    }
    const found = isScalar(value) ? value.value : undefined;
    const parsed = setting.type.parse(found);
    if (parsed !== undefined) {
      this.layer.set(name, { value: parsed, origin: `${this.#file}:${this.#lineAt(at)}` });
      return;
    }
    const quoted = isScalar(value) ? quoteValue(found) : value === null ? 'nothing' : 'a list or mapping';
    this.refuse('INVALID_FIELD', 'invalid value', at, { field: name, found: quoted, expected: setting.type.expected });
  }

  #lineAt(offset: number): number {
    return this.#lines.linePos(offset).line;
  }
}
