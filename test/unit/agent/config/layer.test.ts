import { describe, expect, it } from 'vitest';
import { NO_LAYERS, resolveSettings, SOURCES } from '../../../../src/agent/config/layer.ts';

const GIVEN = SOURCES.filter((source) => source !== 'default');
const layer = (value: number, origin: string) => new Map([['eventBudget', { value, origin }]]);

describe('precedence', () => {
  it.each(GIVEN.map((source, index) => ({ source, index })))(
    'lets $source win over all below it',
    ({ source, index }) => {
      const layers = { ...NO_LAYERS };
      for (const [at, name] of GIVEN.entries()) if (at >= index) layers[name] = layer(at + 1, name);
      expect(resolveSettings(layers).get('eventBudget')).toEqual({
        value: index + 1,
        origin: source,
        source,
        hidden: GIVEN.slice(index + 1).map((name, at) => ({ value: index + at + 2, origin: name, source: name })),
      });
    },
  );

  it('falls back on the default', () => {
    expect(resolveSettings(NO_LAYERS).get('eventBudget')).toEqual({
      value: 1000,
      origin: '',
      source: 'default',
      hidden: [],
    });
  });

  it('pins below the bpffs that is mounted elsewhere, unless told where', () => {
    const file = new Map([['bpffs', { value: '/mnt/bpf', origin: 'f' }]]);
    expect(resolveSettings({ ...NO_LAYERS, file }).get('pinRoot')?.value).toBe('/mnt/bpf/tortie');
    const flag = new Map([['pinRoot', { value: '/mnt/bpf/mine', origin: '--pin-root' }]]);
    expect(resolveSettings({ ...NO_LAYERS, file, flag }).get('pinRoot')?.value).toBe('/mnt/bpf/mine');
  });
});
