// Which Debian package is meant by `5.10`, `6` or `7.2`: pure, from a list of packages. Fetching is debian.ts.
import { VmFailure } from './failure.ts';

/** One package as the lists tell it; `depends` are bare names. */
export interface DebianPackage {
  readonly name: string;
  readonly depends: readonly string[];
}

/** A kernel that can be fetched whole. */
export interface KernelChoice {
  /** As `uname -r` will say, e.g. `6.1.0-56-amd64`. */
  readonly abi: string;
  /** All packages whose contents make the kernel; newer ones are split in several. */
  readonly packages: readonly string[];
}

const IMAGE = /^linux-image-(\d[\d.]*[-+][\w.+-]*-amd64)$/;
const UNWANTED = /-(cloud|rt|unsigned|dbg)\b|cloud-|-rt-/;

/** `6.1` -> itself, for use in patterns and file names. Throws VmFailure for anything but a major or major.minor number. */
export function parseRequest(text: string): string {
  if (/^\d{1,2}(\.\d{1,3})?$/.test(text)) return text;
  throw new VmFailure(
    `kernel ${JSON.stringify(text)}: expected a version such as 5.10 or 6.12, or 7 for the newest 7.x`,
  );
}

/** Names of all packages that a kernel of the request may consist of, as a regular expression of apt-cache. */
export function namePattern(request: string): string {
  return `^linux-(image|binary|modules|base)-${request.replace('.', '\\.')}\\.[0-9].*-amd64$`;
}

/** The newest kernel of the request all of whose parts are on offer; undefined if there is none. */
export function chooseKernel(request: string, packages: readonly DebianPackage[]): KernelChoice | undefined {
  const offered = new Set(packages.map(({ name }) => name));
  const choices = packages.flatMap(({ name, depends }) => {
    const abi = IMAGE.exec(name)?.[1];
    if (abi === undefined || UNWANTED.test(name) || !matches(request, abi)) return [];
    const parts = depends.filter((other) => other.endsWith(`-${abi}`));
    return parts.every((part) => offered.has(part)) ? [{ abi, packages: [name, ...parts] }] : [];
  });
  return choices.sort((a, b) => compareAbis(b.abi, a.abi))[0];
}

/** `6` fits 6.1.0-56-amd64 and 6.12.9-amd64, `6.1` only the first. */
export function matches(request: string, abi: string): boolean {
  return abi.startsWith(`${request}.`);
}

/** Orders by the numbers in the names: 6.12.9 before 6.12.10, +deb12 before +deb13. */
export function compareAbis(a: string, b: string): number {
  const [left, right] = [a, b].map((abi) => (abi.match(/\d+/g) ?? []).map(Number)) as [number[], number[]];
  for (let index = 0; index < Math.max(left.length, right.length); index += 1) {
    const difference = (left[index] ?? -1) - (right[index] ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Packages of `apt-cache show`. Alternatives and version conditions are left away. */
export function parsePackages(text: string): DebianPackage[] {
  return text.split(/\n\n+/).flatMap((paragraph) => {
    const name = /^Package: (\S+)$/m.exec(paragraph)?.[1];
    if (name === undefined) return [];
    const depends = /^Depends: (.*)$/m.exec(paragraph)?.[1] ?? '';
    const names = depends.split(/[,|]/).map((item) => item.trim().split(/[\s:]/)[0] ?? '');
    return [{ name, depends: names.filter((item) => item !== '') }];
  });
}
