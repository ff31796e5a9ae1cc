// Every built object lays the crossing structs out as abi.bpf.o does, from which the TypeScript side is generated.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { builtFile } from '../../src/kernel/native.ts';
import { readBtf } from '../../tools/gen-abi/btf.ts';
import { readShapes } from '../../tools/gen-abi/layout.ts';

const reference = builtFile('build/bpf/abi.bpf.o');
const folder = path.dirname(reference);
const shapes = readShapes(readBtf(readFileSync(reference)));
const objects = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.bpf.o'));

describe('layouts in a built object', () => {
  it.each(objects.toSorted())('%s are those of abi.bpf.o', (name) => {
    const own = readShapes(readBtf(readFileSync(path.join(folder, name))));
    const crossing = [...own].filter(([struct]) => shapes.has(struct));
    expect(crossing.map(([struct, shape]) => `${struct}: ${shape}`)).toEqual(
      crossing.map(([struct]) => `${struct}: ${shapes.get(struct)}`),
    );
  });
});
