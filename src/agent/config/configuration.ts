// The agent's settings over its life: read once at the start, again when told to. What may change while it runs does, the rest
// waits for the next start, and a file that cannot be used leaves everything as it was.
import { DataplaneError } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
import { findListenerErrors } from './api-listener.ts';
import { parseConfigFile, readConfigFile } from './config-file.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { findExportErrors } from './export-settings.ts';
import { type FelixConfiguration, type IgnoredField, readFelixConfigurations } from './felix.ts';
import { recallConfigFile, rememberConfigFile } from './last-good-file.ts';
import {
  type Layer,
  type Layers,
  NO_LAYERS,
  type ResolvedSetting,
  type ResolvedSettings,
  resolveSettings,
} from './layer.ts';
import { type ConfigReport, describeSettings } from './report.ts';
import { ALL_SETTINGS } from './settings.ts';

/** What does not change while the process lives, and where the file is. */
export interface ConfigSources {
  readonly flags: Layer;
  readonly environment: Environment;
  readonly file: { readonly path: string; readonly isRequired: boolean };
}

/** Finds the FelixConfigurations, given the settings that need none of them. */
export type FelixFinder = (settings: ResolvedSettings) => readonly FelixConfiguration[];

export class Configuration {
  readonly #sources: ConfigSources;
  #felixObjects: readonly FelixConfiguration[] = [];
  #layers: Layers;
  /** Of the file, as it counts. */
  #text: string | undefined;
  #errors: readonly DataplaneError[];
  #ignored: readonly IgnoredField[] = [];
  #wanted: ResolvedSettings;
  /** In force: differs from what is wanted in what waits for the next start. */
  #running: ReadonlyMap<string, ResolvedSetting>;

  private constructor(sources: ConfigSources, environment: Layer, file: FileState) {
    this.#sources = sources;
    this.#text = file.text;
    this.#errors = file.errors;
    this.#layers = { ...NO_LAYERS, flag: sources.flags, environment, file: file.layer };
    this.#wanted = resolveSettings(this.#layers);
    this.#running = this.#wanted;
  }

  /**
   * What an agent would get. A file that cannot be used gives way to its last good version, if an agent has left one. Throws
   * UNKNOWN_FIELD, INVALID_FIELD, MISSING_FIELD, YAML_SYNTAX, FILE_UNREADABLE or FILE_TOO_LARGE: the first of what is wrong.
   */
  static read(sources: ConfigSources, findFelix: FelixFinder): Configuration {
    const { layer, errors } = readEnvironment(sources.environment);
    if (errors[0] !== undefined) throw errors[0];
    const configuration = new Configuration(sources, layer, readFileAtStart(sources, layer));
    configuration.#felixObjects = findFelix(configuration.#wanted);
    configuration.#resolve();
    configuration.#running = configuration.#wanted;
    return configuration;
  }

  /** In force. */
  get settings(): ResolvedSettings {
    return this.#running;
  }

  /** Fields of FelixConfigurations that nothing here goes by. */
  get ignored(): readonly IgnoredField[] {
    return this.#ignored;
  }

  /** Why the file as it is now is not used. */
  get errors(): readonly DataplaneError[] {
    return this.#errors;
  }

  /** Names of settings that wait for the next start. */
  get pending(): string[] {
    return [...this.#running].flatMap(([name, { value }]) => (this.#wanted.get(name)?.value === value ? [] : [name]));
  }

  /** Reads the file again. Returns the names of settings that have changed in force; none when the file cannot be used. */
  reload(): readonly string[] {
    const file = checkTogether(readFile(this.#sources.file), this.#layers);
    this.#errors = file.errors;
    if (file.errors.length > 0) return [];
    this.#text = file.text;
    this.#layers = { ...this.#layers, file: file.layer };
    return this.#change();
  }

  /** The FelixConfigurations have changed. Returns what reload returns. */
  setFelix(objects: readonly FelixConfiguration[]): readonly string[] {
    this.#felixObjects = objects;
    return this.#change();
  }

  /** Keeps the file as it counts now for a start at which it is broken. */
  remember(log: Logger): void {
    const { path } = this.#sources.file;
    if (this.#errors.length > 0) return;
    try {
      rememberConfigFile(String(this.#running.get('stateDirectory')?.value), path, this.#text ?? '');
    } catch (error) {
      log.warn('cannot keep a copy of the configuration', { error: String(error) });
    }
  }

  report(): ConfigReport {
    return {
      file: this.#sources.file.path,
      isFileUsed: this.#text !== undefined && this.#errors.length === 0,
      errors: this.#errors.map(({ code, message }) => ({ code, message })),
      settings: describeSettings(this.#running, this.#wanted),
      ignored: this.#ignored,
    };
  }

  #change(): readonly string[] {
    this.#resolve();
    const changed: string[] = [];
    const running = new Map(this.#running);
    for (const [name, wanted] of this.#wanted) {
      const isSame = running.get(name)?.value === wanted.value;
      if (!isSame && ALL_SETTINGS.get(name)?.change !== 'live') continue;
      running.set(name, wanted);
      if (!isSame) changed.push(name);
    }
    this.#running = running;
    return changed;
  }

  #resolve(): void {
    const plain = { ...this.#layers, FelixConfiguration: NO_LAYERS.FelixConfiguration };
    const node = String(resolveSettings(plain).get('node')?.value);
    const { layer, ignored } = readFelixConfigurations(this.#felixObjects, node);
    this.#ignored = ignored;
    this.#layers = { ...plain, FelixConfiguration: layer };
    this.#wanted = resolveSettings(this.#layers);
  }
}

interface FileState {
  readonly text: string | undefined;
  readonly layer: Layer;
  readonly errors: readonly DataplaneError[];
}

function readFile({ path, isRequired }: ConfigSources['file']): FileState {
  try {
    const text = readConfigFile(path, isRequired);
    return text === undefined ? { text, layer: NO_LAYERS.file, errors: [] } : { text, ...parseConfigFile(text, path) };
  } catch (error) {
    if (!(error instanceof DataplaneError)) throw error;
    return { text: undefined, layer: NO_LAYERS.file, errors: [error] };
  }
}

/** Settings that are in order one by one may not be so together, whichever source says which. */
function checkTogether(file: FileState, { flag, environment }: Pick<Layers, 'flag' | 'environment'>): FileState {
  if (file.errors.length > 0) return file;
  const settings = resolveSettings({ ...NO_LAYERS, flag, environment, file: file.layer });
  return { ...file, errors: [...findListenerErrors(settings), ...findExportErrors(settings)] };
}

/** The state directory must be known without the file, or the copy is not found. */
function readFileAtStart({ flags, file }: ConfigSources, environment: Layer): FileState {
  const said = { flag: flags, environment };
  const found = checkTogether(readFile(file), said);
  const [error] = found.errors;
  if (error === undefined) return found;
  const state = resolveSettings({ ...NO_LAYERS, ...said }).get('stateDirectory');
  const text = recallConfigFile(String(state?.value), file.path);
  const recalled = text === undefined ? undefined : checkTogether({ text, ...parseConfigFile(text, file.path) }, said);
  if (recalled === undefined || recalled.errors.length > 0) throw error;
  return { text, layer: recalled.layer, errors: found.errors };
}
