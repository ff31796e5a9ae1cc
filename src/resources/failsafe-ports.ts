// Failsafe ports as FelixConfiguration writes them: items of a list, or the text that Felix takes from its environment.
import { parsePrefixText } from '../base/ip-text.ts';

/** One port that stays open whatever policy says. */
export interface FailsafePort {
  /** IP protocol number: TCP or UDP. */
  readonly protocol: number;
  readonly port: number;
  /** CIDR or bare address of the other end; undefined = anybody. */
  readonly net?: string;
}

/** An item of the list as written. */
export interface FailsafeItem {
  readonly protocol?: string;
  readonly port: number;
  readonly net?: string;
}

const PROTOCOLS: ReadonlyMap<string, number> = new Map([
  ['tcp', 6],
  ['udp', 17],
]);
export const FAILSAFE_PROTOCOLS = ['TCP', 'UDP'] as const;
const NO_PORTS = 'none';

/** Without a protocol TCP is meant. undefined = something of it is no such port. */
export function failsafePort({ protocol, port, net }: FailsafeItem): FailsafePort | undefined {
  const number = PROTOCOLS.get((protocol || 'tcp').toLowerCase());
  if (number === undefined || !Number.isInteger(port) || port < 0 || port > 65535) return undefined;
  if (net === undefined || net === '') return { protocol: number, port };
  return parsePrefixText(net) === undefined ? undefined : { protocol: number, port, net };
}

/** The ports of a list, or of a text `[protocol:][net:]port,...` or `none`; undefined = not of that form. */
export function parseFailsafePorts(value: readonly FailsafeItem[] | string): readonly FailsafePort[] | undefined {
  if (typeof value !== 'string') return allOf(value.map(failsafePort));
  const text = value.trim();
  if (text.toLowerCase() === NO_PORTS) return [];
  return allOf(text.split(',').map((item) => parseItem(item.trim())));
}

/** IPv6 networks are in brackets: `udp:[2001:db8::/32]:53`. */
function parseItem(text: string): FailsafePort | undefined {
  const parts = /^(?:([a-z]+):)?(?:(?:\[([^\]]+)\]|([0-9./]+)):)?([0-9]{1,5})$/i.exec(text);
  if (parts === null) return undefined;
  const [, protocol, v6, v4, port] = parts;
  return failsafePort({ protocol, net: v6 ?? v4, port: Number(port) });
}

function allOf<T>(items: readonly (T | undefined)[]): readonly T[] | undefined {
  const known = items.filter((item) => item !== undefined);
  return known.length === items.length ? known : undefined;
}
