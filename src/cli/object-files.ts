// Objects of files, directories and standard input, as -f names them, each with where it is written. Whether they are
// valid, and what becomes of them, is not known here.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { isPlain, type Manifest } from '../agent/store/manifest.ts';
import { DataplaneError } from '../base/errors.ts';
import { isManifestName, listManifests } from '../resources/sources/manifest-files.ts';
import { parseFullYaml } from '../resources/yaml/full-yaml.ts';

export interface FileObject {
  readonly manifest: Manifest;
  /** As the command line names it; `stdin` = standard input. */
  readonly file: string;
  /** Of the document that it is in. */
  readonly line: number;
}

export interface FileFlags {
  readonly filename?: readonly string[];
  /** Directories with all below them. */
  readonly recursive?: boolean;
}

/** A text with the name that errors give it. */
export interface NamedText {
  readonly file: string;
  readonly text: string;
}

const STANDARD_INPUT = 0;

/** Every object in the order in which it is written; lists are taken apart. Throws FILE_UNREADABLE, YAML_SYNTAX, USAGE. */
export function readObjectFiles(flags: FileFlags): readonly FileObject[] {
  return readTexts(flags).flatMap(objectsOfText);
}

/** The texts of all files that are named. Throws FILE_UNREADABLE; USAGE when none is named. */
export function readTexts({ filename = [], recursive }: FileFlags): readonly NamedText[] {
  if (filename.length === 0) {
    throw new DataplaneError('USAGE', 'nothing to read', {
      operation: 'read',
      target: 'objects',
      hint: 'name files with -f; - = standard input',
    });
  }
  return filename.flatMap((path) => filesOf(path, recursive === true)).map(readOne);
}

function filesOf(path: string, isRecursive: boolean): readonly string[] {
  if (path === '-' || statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
  if (!isRecursive) {
    const names = readdirSync(path, { withFileTypes: true }).filter((entry) => !entry.isDirectory());
    return names
      .map(({ name }) => name)
      .filter(isManifestName)
      .sort()
      .map((name) => join(normalize(path), name));
  }
  const { files, errors } = listManifests(path);
  const [error] = errors;
  if (error !== undefined) throw error;
  return files.map((file) => join(normalize(path), file.path));
}

function readOne(path: string): NamedText {
  try {
    if (path === '-') return { file: 'stdin', text: readFileSync(STANDARD_INPUT, 'utf8') };
    return { file: normalize(path), text: readFileSync(path, 'utf8') };
  } catch (cause) {
    const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
    throw new DataplaneError('FILE_UNREADABLE', `cannot be read: ${code}`, { operation: 'read', target: path, cause });
  }
}

/** Objects of one text. Throws YAML_SYNTAX. */
export function objectsOfText({ file, text }: NamedText): readonly FileObject[] {
  return parseFullYaml(text).flatMap(({ value, line, problem }) => {
    if (problem !== undefined) {
      const [message = ''] = problem.message.split('\n');
      throw new DataplaneError('YAML_SYNTAX', message, { operation: 'read', target: file, file, line: problem.line });
    }
    return value === null || value === undefined ? [] : itemsOf(value, { file, line });
  });
}

function itemsOf(value: unknown, place: { readonly file: string; readonly line: number }): readonly FileObject[] {
  if (Array.isArray(value)) return value.flatMap((item) => itemsOf(item, place));
  if (!isPlain(value)) {
    const found = JSON.stringify(value)?.slice(0, 80);
    throw new DataplaneError('YAML_SYNTAX', 'is not an object', {
      operation: 'read',
      target: 'document',
      found,
      ...place,
    });
  }
  const { kind, items, apiVersion } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items))
    return [{ manifest: value, ...place }];
  const base = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) };
  return items.flatMap((item) => itemsOf(isPlain(item) ? { ...base, ...item } : item, place));
}
