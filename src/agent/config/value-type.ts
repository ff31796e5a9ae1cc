// Kinds of values that a setting may have: how each is read from text (flags, environment) or from a YAML value, and what to say
// of one that is none. Which setting has which type is in settings.ts.
import { isIP } from 'node:net';
import { parseSynProtection } from '../block/syn-settings.ts';

export type SettingValue = string | number;

export interface ValueType<T extends SettingValue = SettingValue> {
  /** How the value is called in help: `--node <name>`. */
  readonly placeholder: string;
  /** Completes `expected ...`. */
  readonly expected: string;
  /** The only values there are, where they can be listed. */
  readonly choices?: readonly string[];
  /** undefined = not of this type. Text is taken for a number where one is wanted: flags and environment have nothing else. */
  parse(written: unknown): T | undefined;
}

export function text(placeholder: string, expected = 'text'): ValueType<string> {
  return {
    placeholder,
    expected,
    parse: (written) => {
      const value = typeof written === 'number' ? String(written) : written;
      return typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined;
    },
  };
}

export function path(placeholder: 'dir' | 'path' = 'dir'): ValueType<string> {
  return text(placeholder, 'a path');
}

/** Empty = none. */
export function optionalPath(): ValueType<string> {
  const { placeholder, parse } = path('path');
  return { placeholder, expected: 'a path, or nothing', parse: (written) => (written === '' ? '' : parse(written)) };
}

/** `address:port`, IPv6 in brackets; empty = none. */
export function listenAddress(): ValueType<string> {
  return {
    placeholder: 'address:port',
    expected: 'an IP address and a port, as 192.0.2.1:7443 or [::]:7443; or nothing',
    parse: (written) =>
      typeof written === 'string' && (written === '' || splitAddress(written) !== undefined) ? written : undefined,
  };
}

/** undefined = not `address:port`. */
export function splitAddress(written: string): { readonly address: string; readonly port: number } | undefined {
  const [, v6, v4, digits] = /^(?:\[([\da-fA-F:.]+)\]|([\d.]+)):(\d{1,5})$/.exec(written) ?? [];
  const address = v6 ?? v4 ?? '';
  const port = Number(digits);
  return isIP(address) === (v6 === undefined ? 4 : 6) && port >= 1 && port <= 65535 ? { address, port } : undefined;
}

export function choice<const T extends string>(choices: readonly T[]): ValueType<T> {
  return {
    placeholder: 'mode',
    expected: choices.join(' or '),
    choices,
    parse: (written) => choices.find((one) => one === written),
  };
}

export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER): ValueType<number> {
  const most = maximum === Number.MAX_SAFE_INTEGER ? ' or more' : ` to ${maximum}`;
  return {
    placeholder: 'n',
    expected: `a whole number, ${minimum}${most}`,
    parse: (written) => {
      const value = typeof written === 'string' && /^\d+$/.test(written) ? Number(written) : written;
      const isFitting =
        typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum;
      return isFitting ? value : undefined;
    },
  };
}

/** Prefixes of interface names separated by commas; empty = none. */
export function interfacePrefixes(): ValueType<string> {
  return {
    placeholder: 'text',
    expected: 'prefixes of interface names, 15 characters at most each, separated by commas; or nothing',
    parse: (written) => {
      if (written === '') return '';
      const isFitting = typeof written === 'string' && /^[\w.:-]{1,15}(,[\w.:-]{1,15})*$/.test(written);
      return isFitting ? written : undefined;
    },
  };
}

/** Ports for which new TCP connections are counted, as parseSynProtection takes them. */
export function protectedPorts(): ValueType<string> {
  return {
    placeholder: 'text',
    expected: 'off, auto, or ports and ranges of ports separated by commas, e.g. 22,443,8000-8099',
    parse: (written) => {
      const text = typeof written === 'number' ? String(written) : written;
      return typeof text === 'string' && parseSynProtection(text) !== undefined ? text : undefined;
    },
  };
}

/** Names of interfaces separated by commas, * standing for any characters; empty = none. */
export function interfacePatterns(): ValueType<string> {
  return {
    placeholder: 'text',
    expected:
      'names of interfaces, 15 characters at most each, with * for any, separated by commas; or auto; or nothing',
    parse: (written) => {
      if (written === '') return '';
      const isFitting = typeof written === 'string' && /^[\w.:*-]{1,15}(,[\w.:*-]{1,15})*$/.test(written);
      return isFitting ? written : undefined;
    },
  };
}
