// The words that may come next on a command line, found in the command tree itself: commands, options, their choices. What
// only an agent knows is asked of `Live`.
import type { Argument, Command, Option } from 'commander';
import { namesOf, RESOURCE_TYPES, resourceTypeNamed } from '../kind-names.ts';

export interface Candidate {
  readonly word: string;
  readonly meaning?: string;
}

/** What is there to be named. Empty when no agent answers. */
export interface Live {
  names(kind: string, scope: Scope): Promise<readonly string[]>;
  namespaces(scope: Scope): Promise<readonly string[]>;
  endpoints(scope: Scope): Promise<readonly string[]>;
  revisions(scope: Scope): Promise<readonly string[]>;
}

/** What the command line says so far of where to look. */
export interface Scope {
  readonly socket?: string;
  readonly namespace?: string;
}

/** Words, and whether names of files belong to them. */
export interface Completion {
  readonly candidates: readonly Candidate[];
  readonly files?: 'files' | 'directories';
}

interface State {
  readonly command: Command;
  readonly positional: readonly string[];
  /** Whose value comes next. */
  readonly awaited?: Option;
  readonly scope: Scope;
  readonly isOnlyPositional: boolean;
}

const NOTHING: Completion = { candidates: [] };
const FILES = /<(?:path|file|a|b)(?:\.\.\.)?>/i;
const DIRECTORIES = /<dir(?:\.\.\.)?>/;

/** `words` = all after the program's name; the last one is being written, and may be empty. */
export async function complete(program: Command, words: readonly string[], live: Live): Promise<Completion> {
  const current = words.at(-1) ?? '';
  const state = words
    .slice(0, -1)
    .reduce(read, { command: program, positional: [], scope: {}, isOnlyPositional: false } as State);
  const all = await completeIn(state, current, live);
  return { ...all, candidates: all.candidates.filter(({ word }) => word.startsWith(current)) };
}

function read(state: State, word: string): State {
  const { awaited, command, scope, positional } = state;
  if (awaited !== undefined && !(awaited.optional && word.startsWith('-'))) {
    return { ...state, awaited: undefined, scope: scopeWith(scope, awaited, word) };
  }
  if (state.isOnlyPositional) return { ...state, positional: [...positional, word] };
  if (word === '--') return { ...state, isOnlyPositional: true };
  if (word.startsWith('-') && word !== '-') {
    const { option, value } = findOption(command, word);
    if (option === undefined || (!option.required && !option.optional)) return { ...state, awaited: undefined };
    return value === undefined
      ? { ...state, awaited: option }
      : { ...state, awaited: undefined, scope: scopeWith(scope, option, value) };
  }
  const below = positional.length === 0 ? command.commands.find((one) => one.name() === word) : undefined;
  if (below !== undefined) return { ...state, awaited: undefined, command: below };
  return { ...state, awaited: undefined, positional: [...positional, word] };
}

function completeIn(state: State, current: string, live: Live): Promise<Completion> | Completion {
  const { awaited, command, positional, scope, isOnlyPositional } = state;
  if (awaited !== undefined) return completeValue(awaited, '', scope, live);
  if (current.startsWith('-') && !isOnlyPositional) {
    const { option, value } = findOption(command, current);
    if (current.startsWith('--') && option !== undefined && value !== undefined) {
      return completeValue(option, `${current.slice(0, current.indexOf('=') + 1)}`, scope, live);
    }
    return { candidates: optionsOf(command) };
  }
  if (command.commands.length > 0 && positional.length === 0) return { candidates: commandsOf(command) };
  const argument = argumentAt(command, positional.length);
  return argument === undefined ? NOTHING : completeArgument(argument, state, current, live);
}

function commandsOf(command: Command): Candidate[] {
  return command.commands.map((one) => ({ word: one.name(), meaning: one.description() }));
}

function optionsOf(command: Command): Candidate[] {
  const options = command.createHelp().visibleOptions(command);
  return options.flatMap(({ long, description }) => (long ? [{ word: long, meaning: description }] : []));
}

/** The last argument may be there several times. */
function argumentAt({ registeredArguments }: Command, index: number): Argument | undefined {
  const last = registeredArguments.at(-1);
  return registeredArguments[index] ?? (last?.variadic === true ? last : undefined);
}

async function completeValue(option: Option, prefix: string, scope: Scope, live: Live): Promise<Completion> {
  const words = (list: readonly string[]): Completion => ({
    candidates: list.map((word) => ({ word: prefix + word })),
  });
  if (option.argChoices !== undefined) return words(option.argChoices);
  if (option.attributeName() === 'namespace') return words(await live.namespaces(scope));
  if (DIRECTORIES.test(option.flags)) return { candidates: [], files: 'directories' };
  return FILES.test(option.flags) ? { candidates: [], files: 'files' } : NOTHING;
}

async function completeArgument(
  argument: Argument,
  { positional, scope }: State,
  current: string,
  live: Live,
): Promise<Completion> {
  const words = (list: readonly string[]): Completion => ({ candidates: list.map((word) => ({ word })) });
  if (argument.argChoices !== undefined) return words(argument.argChoices);
  const [kind] = positional;
  switch (argument.name()) {
    case 'kind':
      return completeKind(current, scope, live);
    case 'name':
    case 'name-or-label':
      if (kind === undefined || kind.includes('/')) return completeKind(current, scope, live);
      return words((await live.names(kind, scope)).filter((name) => !positional.includes(name)));
    case 'namespace/name':
      return words(await live.endpoints(scope));
    case 'revision':
      return words(await live.revisions(scope));
    default:
      return FILES.test(`<${argument.name()}>`) ? { candidates: [], files: 'files' } : NOTHING;
  }
}

/** A kind, or `kind/name`. */
async function completeKind(current: string, scope: Scope, live: Live): Promise<Completion> {
  const [kind = '', name] = current.split('/');
  if (name !== undefined) {
    const names = await live.names(kind, scope);
    return { candidates: names.map((one) => ({ word: `${kind}/${one}` })) };
  }
  const isShort = kind !== '' && resourceTypeNamed(kind) !== undefined;
  const candidates = RESOURCE_TYPES.map((type) => {
    const [word = '', , ...short] = namesOf(type);
    return { word, meaning: short[0] ?? '' };
  });
  return { candidates: isShort ? [...candidates, { word: kind, meaning: resourceTypeNamed(kind) }] : candidates };
}

/** `--name`, `--name=value`, `-n`, `-nvalue`. */
function findOption(command: Command, word: string): { readonly option?: Option; readonly value?: string } {
  const equals = word.indexOf('=');
  if (word.startsWith('--')) {
    const long = equals === -1 ? word : word.slice(0, equals);
    const option = command.options.find((one) => one.long === long);
    return { option, ...(equals === -1 ? {} : { value: word.slice(equals + 1) }) };
  }
  const option = command.options.find((one) => one.short === word.slice(0, 2));
  return { option, ...(word.length > 2 ? { value: word.slice(2).replace(/^=/, '') } : {}) };
}

function scopeWith(scope: Scope, option: Option, value: string): Scope {
  const name = option.attributeName();
  return name === 'socket' || name === 'namespace' ? { ...scope, [name]: value } : scope;
}
