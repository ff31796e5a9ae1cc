// A copy of the tree in which one defence at a time is taken out of the programs. The tree itself is only read.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { root } from '../build-steps/process.mjs';

const COPIED = [
  ...['package.json', 'vitest.config.ts', 'tsconfig.json', 'tsconfig.base.json', 'src', 'test', 'native/index.d.ts'],
  ...['bpf', 'dist', 'tools', 'build/Release', 'build/lab', 'build/bpf'],
];
/** No test attaches the one; the other only asks what the rest asks too, for half a minute. */
const LEFT_OUT = ['bpf/programs/bench.bpf.c', 'test/packet/agreement.test.ts'];
export const OBJECTS = [
  'build/bpf/workload.bpf.o',
  'build/bpf/guard.bpf.o',
  'build/bpf/guard-frags.bpf.o',
  'build/bpf/host.bpf.o',
  'build/bpf/flow-logs.bpf.o',
  'build/bpf/test/late.bpf.o',
];

export class Sandbox {
  #folder = mkdtempSync(path.join(os.tmpdir(), 'tortie-mutants-'));

  constructor() {
    for (const name of COPIED) {
      if (existsSync(path.join(root, name))) cpSync(path.join(root, name), this.at(name), { recursive: true });
    }
    for (const name of LEFT_OUT) rmSync(this.at(name));
    symlinkSync(path.join(root, 'node_modules'), this.at('node_modules'));
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  at(name) {
    return path.join(this.#folder, name);
  }

  /** Compiles into a folder of the name given. Returns clang's output if it refuses. */
  build(name) {
    const { status, output } = this.run(['node', 'tools/build.mjs', 'bpf']);
    if (status !== 0) return output;
    mkdirSync(this.at(name), { recursive: true });
    for (const object of OBJECTS) cpSync(this.at(object), path.join(this.at(name), path.basename(object)));
    return undefined;
  }

  /**
   * Replaces the one place in a file where `before` stands, calls, and puts it back. Throws RangeError if there is no such
   * place, or more.
   */
  withChange({ file, before, after }, call) {
    const place = this.at(file);
    const text = readFileSync(place, 'utf8');
    const count = text.split(before).length - 1;
    if (count !== 1) throw new RangeError(`${file}: ${count} places, expected 1: ${before}`);
    writeFileSync(
      place,
      text.replace(before, () => after),
    );
    try {
      return call();
    } finally {
      writeFileSync(place, text);
    }
  }

  run([program, ...argv]) {
    const env = { ...process.env, NO_COLOR: '1' };
    const { status, stdout, stderr, error } = spawnSync(program, argv, { cwd: this.#folder, encoding: 'utf8', env });
    if (error) throw error;
    return { status, output: stdout + stderr };
  }
}
