import { describe, expect, it } from 'vitest';
import { leftUndone, PROTECTIVE_FIELDS } from '../../../../src/agent/config/felix-safety.ts';
import { UNUSED_FELIX_FIELDS } from '../../../../src/resources/schemas/felix-configuration.ts';

describe('protection that a FelixConfiguration asks for', () => {
  it('is known of fields that are accepted without effect, and of no others', () => {
    expect(PROTECTIVE_FIELDS.filter((field) => !UNUSED_FELIX_FIELDS.has(field))).toEqual([]);
  });

  it.each([
    ['allowIPIPPacketsFromWorkloads', false, true],
    ['allowVXLANPacketsFromWorkloads', false, true],
    ['bpfDisableUnprivileged', true, false],
    ['bpfEnforceRPF', 'Loose', 'Disabled'],
    ['bpfJITHardening', 'Strict', 'Auto'],
    ['dropActionOverride', 'LogAndAccept', 'Drop'],
    ['wireguardEnabled', true, false],
    ['wireguardEnabledV6', true, false],
    ['wireguardHostEncryptionEnabled', true, false],
    ['workloadSourceSpoofing', 'Any', 'Disabled'],
  ])('%s: %j is left undone, %j is not asked for', (field, asked, harmless) => {
    expect(leftUndone(field, asked)).toMatch(/\w/);
    expect(leftUndone(field, harmless)).toBeUndefined();
  });

  it.each(['defaultEndpointToHostAction', 'failsafeInboundHostPorts', 'failsafeOutboundHostPorts'])(
    'of %s is given: policy of host endpoints goes by it',
    (field) => {
      expect(UNUSED_FELIX_FIELDS.has(field)).toBe(false);
      expect(leftUndone(field, 'Drop')).toBeUndefined();
    },
  );

  it('is not seen in fields that protect nothing', () => {
    expect(leftUndone('iptablesBackend', 'NFT')).toBeUndefined();
  });
});
