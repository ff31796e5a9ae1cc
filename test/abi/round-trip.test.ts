// TypeScript's half of the round trip: the generated codecs and the compiler agree on every field of every struct.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as capture from '../../src/abi/capture.gen.ts';
import * as common from '../../src/abi/common.gen.ts';
import * as endpoint from '../../src/abi/endpoint.gen.ts';
import * as event from '../../src/abi/event.gen.ts';
import * as flow from '../../src/abi/flow.gen.ts';
import * as guard from '../../src/abi/guard.gen.ts';
import * as heap from '../../src/abi/heap.gen.ts';
import * as host from '../../src/abi/host.gen.ts';
import * as takeover from '../../src/abi/takeover.gen.ts';
import { type BpfMap, type BpfObject, builtFile, loadNative } from '../../src/kernel/native.ts';
import { readBtf } from '../../tools/gen-abi/btf.ts';
import { type FieldType, readLayouts, type StructLayout } from '../../tools/gen-abi/layout.ts';
import { typeName } from '../../tools/gen-abi/names.ts';

type Encode = (view: DataView, at: number, value: unknown) => void;
type Decode = (view: DataView, at: number) => unknown;

const codecs = {
  ...capture,
  ...common,
  ...endpoint,
  ...event,
  ...flow,
  ...guard,
  ...heap,
  ...host,
  ...takeover,
} as Readonly<Record<string, unknown>>;
const types = readBtf(readFileSync(builtFile('build/bpf/abi.bpf.o')));
const layouts = readLayouts(types);
const structs = layouts.filter((layout): layout is StructLayout => layout.kind === 'struct');

/** Where struct exchange of round-trip.bpf.c has its members. */
const NUMBERS_AT = 8;
const BYTES_AT = 8 + 8 * 1024;
const EXCHANGE_BYTES = BYTES_AT + 4096;

/** No two fields get the same value, and no value reads the same from both ends. */
function pattern(index: number, size: number): bigint {
  return BigInt.asUintN(size * 8, BigInt(index + 1) * 0x9e3779b97f4a7c15n);
}

/** A value of the type whose scalars, in order, count on from the cursor. */
function fill(type: FieldType, cursor: { index: number }): unknown {
  if (type.kind === 'scalar') {
    const number = pattern(cursor.index++, type.size);
    return type.size === 8 ? number : Number(number);
  }
  if (type.kind === 'struct') return fillStruct(structNamed(type.name), cursor);
  const elements = Array.from({ length: type.length }, () => fill(type.element, cursor));
  const isBytes = type.element.kind === 'scalar' && type.element.size === 1;
  return isBytes ? Uint8Array.from(elements as number[]) : elements;
}

function fillStruct(layout: StructLayout, cursor: { index: number }): Record<string, unknown> {
  const fields = layout.fields.filter(({ isPadding }) => !isPadding);
  return Object.fromEntries(fields.map(({ name, type }) => [name, fill(type, cursor)]));
}

function structNamed(name: string): StructLayout {
  return structs.find((layout) => layout.name === name) as StructLayout;
}

/** The scalars of a value, in order. */
function flatten(value: unknown): bigint[] {
  if (typeof value === 'number' || typeof value === 'bigint') return [BigInt(value)];
  return Object.values(value as object).flatMap(flatten);
}

describe('a struct that crosses the boundary', () => {
  let object: BpfObject;
  let exchange: BpfMap;

  beforeAll(() => {
    object = loadNative().BpfObject.open(builtFile('build/bpf/test/round-trip.bpf.o'), {});
    exchange = object.map('exchange');
  });
  afterAll(() => object.close());

  /** Runs a program over the given bytes and numbers; returns what it left. */
  function run(program: string, bytes: Uint8Array, numbers: readonly bigint[]): DataView {
    const view = new DataView(new ArrayBuffer(EXCHANGE_BYTES));
    for (const [index, number] of numbers.entries()) view.setBigUint64(NUMBERS_AT + 8 * index, number, true);
    new Uint8Array(view.buffer).set(bytes, BYTES_AT);
    exchange.update(new Uint8Array(4), new Uint8Array(view.buffer), 0);
    const handle = object.program(program);
    expect(handle.testRun({ data: new Uint8Array(64) }).returnValue).toBe(0);
    handle.close();
    const left = exchange.lookup(new Uint8Array(4)) as Uint8Array;
    return new DataView(left.buffer, left.byteOffset, left.byteLength);
  }

  it.each(structs.map((layout) => [layout.name, layout] as const))(
    '%s means the same to C and TypeScript',
    (name, layout) => {
      const encode = codecs[`encode${typeName(name)}`] as Encode;
      const decode = codecs[`decode${typeName(name)}`] as Decode;
      const value = fillStruct(layout, { index: 0 });
      const numbers = flatten(value);
      const bytes = new Uint8Array(layout.size).fill(0xff);
      encode(new DataView(bytes.buffer), 0, value);

      const read = run(`read_${name}`, bytes, []);
      expect(read.getBigUint64(0, true)).toBe(BigInt(numbers.length));
      expect(numbers.map((_, index) => read.getBigUint64(NUMBERS_AT + 8 * index, true))).toEqual(numbers);

      const written = run(`write_${name}`, new Uint8Array(layout.size), numbers);
      expect(new Uint8Array(written.buffer, written.byteOffset + BYTES_AT, layout.size)).toEqual(bytes);
      expect(decode(written, BYTES_AT)).toEqual(value);
    },
  );

  it('has a pair of programs here', () => {
    expect(object.programs.toSorted()).toEqual(
      structs.flatMap(({ name }) => [`read_${name}`, `write_${name}`]).toSorted(),
    );
  });
});
