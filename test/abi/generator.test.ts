// What the generator makes of compiled headers, and what it refuses to let cross the boundary.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { generate } from '../../tools/gen-abi/generate.ts';

const PREAMBLE = `
typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32; typedef unsigned long long __u64;
typedef int __s32; typedef unsigned short __be16; typedef unsigned int __be32;
#define EXPORT(kind, name) kind name *export_##name
`;

const clang = ['clang-19', 'clang-18', 'clang-17', 'clang-16', 'clang-15', 'clang-14', 'clang'].find(
  (name) => spawnSync(name, ['--version']).status === 0,
) as string;

describe('the ABI generator', () => {
  let folder = '';

  beforeAll(() => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'tortie-gen-abi-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Compiles one header, exporting what the second argument says, and generates from it. */
  function generateFrom(header: string, exports: string): Map<string, string> {
    const source = path.join(folder, 'abi.bpf.c');
    const object = path.join(folder, 'abi.bpf.o');
    writeFileSync(source, `${PREAMBLE}${header}\n${exports}\n`);
    const { status, stderr } = spawnSync(clang, ['-target', 'bpf', '-O2', '-g', '-c', source, '-o', object]);
    expect(String(stderr)).toBe('');
    expect(status).toBe(0);
    return generate(readFileSync(object), [{ name: 'tiny', text: header }]);
  }

  const refused: readonly (readonly [string, string, string, string])[] = [
    [
      'a bitfield',
      'struct tt_a {\n\t__u32 low : 4;\n\t__u32 high : 28;\n};',
      'EXPORT(struct, tt_a);',
      'struct tt_a.low: bitfields do not cross',
    ],
    [
      'a pointer',
      'struct tt_a {\n\t__u32 *next;\n};',
      'EXPORT(struct, tt_a);',
      'struct tt_a.next: pointers do not cross',
    ],
    [
      'implicit padding',
      'struct tt_a {\n\t__u8 one;\n\t__u32 two;\n};',
      'EXPORT(struct, tt_a);',
      'struct tt_a: 3 bytes of implicit padding before two',
    ],
    [
      'tail padding',
      'struct tt_a {\n\t__u32 one;\n\t__u8 two;\n};',
      'EXPORT(struct, tt_a);',
      'struct tt_a: 3 bytes of tail padding',
    ],
    [
      'a union',
      'union tt_a {\n\t__u32 one;\n\t__u16 two;\n};',
      'EXPORT(union, tt_a);',
      'union tt_a: unions do not cross',
    ],
    [
      'a union inside',
      'struct tt_a {\n\tunion { __u32 one; __u32 two; } either;\n};',
      'EXPORT(struct, tt_a);',
      'struct tt_a.either: unions do not cross',
    ],
    [
      'a packed struct',
      'struct tt_a {\n\t__u8 one;\n\t__u32 two;\n} __attribute__((packed));',
      'EXPORT(struct, tt_a);',
      'struct tt_a.two: packed: offset 1 is not aligned',
    ],
    [
      'a type of no fixed width',
      'struct tt_a {\n\tunsigned long one;\n};',
      'EXPORT(struct, tt_a);',
      'struct tt_a.one: only __u8..__u64',
    ],
    [
      'a foreign typedef',
      'typedef __u32 port_t;\nstruct tt_a {\n\tport_t one;\n};',
      'EXPORT(struct, tt_a);',
      'struct tt_a.one: port_t is not one of',
    ],
    [
      'a name without prefix',
      'struct flow {\n\t__u32 one;\n};',
      'EXPORT(struct, flow);',
      'struct flow: names that cross begin with tt_',
    ],
    [
      'a definition nobody exports',
      'struct tt_a {\n\t__u32 one;\n};\nstruct tt_b {\n\t__u32 one;\n};',
      'EXPORT(struct, tt_a);',
      'tt_b of tiny.h is not exported',
    ],
    [
      'an incomplete type',
      'struct tt_a;',
      'EXPORT(struct, tt_a);',
      'export_tt_a must point to a complete struct or enum',
    ],
    [
      'a variant',
      '#ifdef TT_WIDE\n#endif\nstruct tt_a {\n\t__u32 one;\n};',
      'EXPORT(struct, tt_a);',
      'tiny.h: a layout must not have variants: #ifdef TT_WIDE',
    ],
    [
      'two names that become one',
      'struct tt_a_b {\n\t__u32 one;\n};\nstruct tt_a_B {\n\t__u32 one;\n};',
      'EXPORT(struct, tt_a_b);\nEXPORT(struct, tt_a_B);',
      'tt_a_b and tt_a_B would both be AB',
    ],
  ];

  it.each(refused)('refuses %s', (_what, header, exports, message) => {
    expect(() => generateFrom(header, exports)).toThrow(message);
  });

  it('refuses one name in two headers', () => {
    const text = 'struct tt_a {\n\t__u32 one;\n};';
    generateFrom(text, 'EXPORT(struct, tt_a);');
    const object = readFileSync(path.join(folder, 'abi.bpf.o'));
    const headers = [
      { name: 'one', text },
      { name: 'two', text },
    ];
    expect(() => generate(object, headers)).toThrow('tt_a is defined twice: in one.h and in two.h');
  });

  it('refuses an object without BTF', () => {
    expect(() => generate(new Uint8Array(100), [])).toThrow('not a 64-bit little-endian ELF file');
  });

  const sample = `
/* Why: a sample. */
enum tt_reason {
	TT_REASON_ALLOWED = 0, /* it's fine */
	TT_REASON_DROP = 1,    /* it is not */
	TT_REASON_COUNT = 2,
};

enum tt_sample_bits {
	TT_SAMPLE_TOP = 0x80000000,
};

struct tt_inner {
	__be16 port;
	__u8 _pad[2];
	__s32 delta;
};

struct tt_outer {
	struct tt_inner inner[2];
	__u64 total; /* of all */
	enum tt_reason reason;
	__u8 mac[6];
	__u8 _pad[6];
};
`;
  const sampleExports = ['enum, tt_reason', 'enum, tt_sample_bits', 'struct, tt_inner', 'struct, tt_outer']
    .map((of) => `EXPORT(${of});`)
    .join('\n');

  it('writes constants, names and help of an enum', () => {
    const text = generateFrom(sample, sampleExports).get('tiny.gen.ts') ?? '';
    expect(text).toMatch(/^\/\/ Generated by `npm run build:abi`/);
    expect(text).toContain('/** enum tt_reason. Why: a sample. */\nexport const Reason = Object.freeze({\n');
    expect(text).toContain("  0: 'ALLOWED',\n  1: 'DROP',\n");
    expect(text).toContain("  0: \"it's fine\",\n  1: 'it is not',\n});");
    expect(text).toContain('  TOP: 2147483648,');
    expect(text).not.toContain('sampleBitsName');
  });

  it('writes size, offsets, interface and codec of a struct', () => {
    const text = generateFrom(sample, sampleExports).get('tiny.gen.ts') ?? '';
    expect(text).toContain('export const Outer = Object.freeze({\n  SIZE: 40,\n');
    expect(text).toContain('  /** of all */\n  readonly total: bigint;\n');
    expect(text).toContain('  readonly inner: readonly Inner[];\n');
    expect(text).toContain('  readonly mac: Uint8Array;\n');
    expect(text).toContain('view.setUint16(at, value.port);\n');
    expect(text).toContain('view.setInt32(at + 4, value.delta, true);\n');
    expect(text).not.toContain('_pad:');
  });

  it('writes the same text again', () => {
    const first = generateFrom(sample, sampleExports);
    expect(generateFrom(sample, sampleExports)).toEqual(first);
  });
});
