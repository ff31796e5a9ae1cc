import { describe, expect, it } from 'vitest';
import { readDefinitions } from '../../../tools/gen-abi/headers.ts';
import { enumeratorNames, typeName, valueName } from '../../../tools/gen-abi/names.ts';

describe('names of the ABI generator', () => {
  it('drop the prefix of a type', () => {
    expect(typeName('tt_flow_key')).toBe('FlowKey');
    expect(valueName('tt_flow_key')).toBe('flowKey');
  });

  it('drop the words that enumerators share with their enum', () => {
    expect(enumeratorNames('tt_event_kind', ['TT_EVENT_LOG', 'TT_EVENT_DENIED'])).toEqual(['LOG', 'DENIED']);
    expect(enumeratorNames('tt_reason', ['TT_REASON_DROP_A', 'TT_REASON_DROP_B'])).toEqual(['DROP_A', 'DROP_B']);
  });

  it('keep the last word, and words that not all share', () => {
    expect(enumeratorNames('tt_layout_version', ['TT_LAYOUT_VERSION'])).toEqual(['VERSION']);
    expect(enumeratorNames('tt_heap_dims', ['TT_HEAP_SHIFT', 'TT_PAGE_WORDS'])).toEqual(['HEAP_SHIFT', 'PAGE_WORDS']);
  });
});

describe('comments of a header', () => {
  it('are found above types and behind members', () => {
    const text = `#ifndef TT_H
/*
 * Key of a table,
 * in two lines.
 */
struct tt_a {
	__u32 one; /* the first */
	__u8 two[4];	/* enum tt_b */
	__u16 three;
};

enum tt_b {
	TT_B_X = 0x80000000, /* a bit */
	TT_B_Y = 1,
};
`;
    const definitions = readDefinitions([{ name: 'a', text: text.replace('TT_H', 'TT_ABI_A_H') }]);
    expect(definitions.get('tt_a')).toEqual({
      header: 'a',
      comment: 'Key of a table, in two lines.',
      members: new Map([
        ['one', 'the first'],
        ['two', 'enum tt_b'],
      ]),
    });
    expect(definitions.get('tt_b')?.members).toEqual(new Map([['TT_B_X', 'a bit']]));
  });
});
