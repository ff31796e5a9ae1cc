// What packages hold, against what the code asks for at run time: an object that is left out is missed on somebody's machine only.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findProject } from '../../../tools/lab/project.ts';
import { filesBelow, OBJECTS } from '../../../tools/package/application.ts';

const PROJECT = findProject();

/** By a literal path, or by name to loadObject. */
function objectsAskedFor(text: string): string[] {
  return [
    ...[...text.matchAll(/build\/bpf\/([\w-]+)\.bpf\.o/g)].map(([, name]) => name),
    ...[...text.matchAll(/loadObject\('([\w-]+)'/g)].map(([, name]) => name),
  ].map((name) => `build/bpf/${name}.bpf.o`);
}

describe('packages', () => {
  it('hold every object for the kernel that the code loads, and no other', () => {
    const asked = filesBelow(PROJECT, 'src', /\.ts$/).flatMap((path) =>
      objectsAskedFor(readFileSync(join(PROJECT, path), 'utf8')),
    );
    expect([...new Set(asked)].sort()).toEqual([...OBJECTS].sort());
  });
});
