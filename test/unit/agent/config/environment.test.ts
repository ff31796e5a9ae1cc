import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../../../src/agent/config/environment.ts';

describe('the environment', () => {
  it('says what its variables say', () => {
    const { layer, errors } = readEnvironment({ TORTIE_NODE: 'n', TORTIE_LIMIT_L4_CLASSES: '9', PATH: '/bin' });
    expect(errors).toEqual([]);
    expect(Object.fromEntries(layer)).toEqual({
      node: { value: 'n', origin: 'TORTIE_NODE' },
      'limits.l4-classes': { value: 9, origin: 'TORTIE_LIMIT_L4_CLASSES' },
    });
  });

  it('takes an empty prefix for none', () => {
    expect(readEnvironment({ TORTIE_INTERFACE_PREFIX: '' }).layer.get('interfacePrefix')?.value).toBe('');
  });

  it.each([
    [
      { TORTIE_EVENT_BUDGT: '1' },
      'read environment: TORTIE_EVENT_BUDGT: no such setting (did you mean TORTIE_EVENT_BUDGET?)',
    ],
    [{ TORTIE_NODES: 'n' }, 'read environment: TORTIE_NODES: no such setting (did you mean TORTIE_NODE?)'],
    [
      { TORTIE_V6_NODES: '1' },
      'read environment: TORTIE_V6_NODES: invalid value: found "1", expected a whole number, 64 to 1048576',
    ],
  ])('refuses %j', (environment, message) => {
    expect(readEnvironment(environment).errors.map((error) => error.message)).toEqual([message]);
  });

  it('leaves alone what is like no setting', () => {
    expect(readEnvironment({ TORTIE_SEED: '1', TORTIE_PATIENCE: '20', TORTIE_CONFIG: '/x' }).errors).toEqual([]);
  });
});
