// What the tests of the addon share: the test object, and namespaces and bpffs mounts that go away again.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type BpfObject, builtFile, loadNative, type Native, type ObjectOptions } from '../../../src/kernel/native.ts';

export const objectPath = builtFile('build/bpf/test/native.bpf.o');

export function openObject(options: ObjectOptions = {}): BpfObject {
  return loadNative().BpfObject.open(objectPath, options);
}

export function u32(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

export function u64(...values: bigint[]): Uint8Array {
  return new Uint8Array(BigUint64Array.from(values).buffer);
}

/** The error that a call throws; undefined if it throws none. */
export function errorOf(call: () => unknown): Error | undefined {
  try {
    call();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}

/** A bpffs of this test's own. */
export class BpffsMount {
  readonly path = mkdtempSync(path.join(os.tmpdir(), 'tortie-bpffs-'));

  constructor() {
    loadNative().mountBpffs(this.path);
  }

  file(name: string): string {
    return path.join(this.path, name);
  }

  close(): void {
    execFileSync('umount', [this.path]);
    rmdirSync(this.path);
  }
}

/** A network namespace of this test's own; the addon works in it in a process of its own. */
export class Namespace {
  readonly name: string;

  constructor(label: string) {
    this.name = `tt${process.pid}-${label}`;
    execFileSync('ip', ['netns', 'add', this.name]);
  }

  ip(...parameters: string[]): void {
    execFileSync('ip', ['-n', this.name, ...parameters]);
  }

  /**
   * Runs a function inside, with the untranslated addon and the arguments, and returns its result. It is passed as
   * text: it must not use anything from outside.
   */
  run<T>(
    body: (native: Native, ...parameters: never[]) => T | Promise<T>,
    ...parameters: readonly (string | number)[]
  ): T {
    const script = `
      const native = process.getBuiltinModule('module').createRequire('/')(${JSON.stringify(builtFile('build/Release/tortie.node'))});
      const result = await (${String(body)})(native, ...${JSON.stringify(parameters)});
      process.stdout.write(JSON.stringify(result ?? null));`;
    const node = [process.execPath, '--input-type=module', '--eval', script];
    return JSON.parse(execFileSync('nsenter', [`--net=/run/netns/${this.name}`, ...node], { encoding: 'utf8' })) as T;
  }

  close(): void {
    execFileSync('ip', ['netns', 'delete', this.name]);
  }
}
