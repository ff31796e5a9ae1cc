import { describe, expect, it } from 'vitest';
import { type FelixConfiguration, readFelixConfigurations } from '../../../../src/agent/config/felix.ts';
import { parseDocuments } from '../../../../src/resources/document.ts';

function manifest(name: string, spec: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind: 'FelixConfiguration', metadata: { name }, spec });
}

function objects(...manifests: readonly string[]): FelixConfiguration[] {
  const { resources, errors } = parseDocuments(manifests.join('\n---\n'), 'felix.yaml');
  expect(errors).toEqual([]);
  return resources as unknown as FelixConfiguration[];
}

describe('FelixConfiguration', () => {
  it.each([
    ['bpfAttachType', 'TCX', 'attach', 'tcx'],
    ['bpfAttachType', 'TC', 'attach', 'clsact'],
    ['bpfAttachType', 'Netkit', 'attach', 'auto'],
    ['interfacePrefix', 'cali,tap', 'interfacePrefix', 'cali,tap'],
    ['bpfMapSizeConntrack', 512000, 'maxFlows', 512000],
    ['bpfMapSizeConntrack', 10, 'maxFlows', 1024],
    ['logSeverityScreen', 'Warning', 'logLevel', 'warn'],
    ['logSeverityScreen', 'FATAL', 'logLevel', 'error'],
    ['logSeverityScreen', 'Trace', 'logLevel', 'debug'],
    ['logPrefix', '%t-%n', 'logPrefix', '%t-%n'],
    ['logActionRateLimit', '5/minute', 'logActionRate', '5/minute'],
    ['logActionRateLimitBurst', 7, 'logActionBurst', 7],
    ['flowLogsFlushInterval', '15s', 'flowLogsInterval', 15],
    ['flowLogsFlushInterval', '1m30s', 'flowLogsInterval', 90],
    ['flowLogsFlushInterval', '200ms', 'flowLogsInterval', 1],
    ['flowLogsFlushInterval', '2h', 'flowLogsInterval', 3600],
    ['prometheusMetricsEnabled', true, 'metricsAddress', '[::]:9091'],
    ['prometheusMetricsEnabled', false, 'metricsAddress', ''],
  ])('%s %s is %s %s', (field, written, setting, value) => {
    const { layer } = readFelixConfigurations(objects(manifest('default', { [field]: written })), 'n');
    expect(Object.fromEntries(layer)).toEqual({ [setting]: { value, origin: `default ${field}` } });
  });

  it('counts for the node before it counts for all, field by field, in any order', () => {
    const all = manifest('default', { interfacePrefix: 'all', logSeverityScreen: 'Debug' });
    const one = manifest('node.n', { interfacePrefix: 'one' });
    for (const order of [objects(all, one), objects(one, all)]) {
      const { layer } = readFelixConfigurations(order, 'n');
      expect([layer.get('interfacePrefix')?.value, layer.get('logLevel')?.value]).toEqual(['one', 'debug']);
    }
  });

  it.each<[spec: Readonly<Record<string, unknown>>, address: string | undefined]>([
    [{ prometheusMetricsHost: '192.0.2.1', prometheusMetricsPort: 9100 }, '192.0.2.1:9100'],
    [{ prometheusMetricsHost: '2001:db8::1' }, '[2001:db8::1]:9091'],
    [{ prometheusMetricsHost: 'localhost' }, '127.0.0.1:9091'],
    [{ prometheusMetricsHost: '' }, '[::]:9091'],
    [{ prometheusMetricsHost: 'metrics.example' }, undefined],
    [{ prometheusMetricsPort: 0 }, undefined],
    [{ prometheusMetricsCertFile: '/tls.crt', prometheusMetricsKeyFile: '/tls.key' }, undefined],
  ])('answers metrics as %j says, never without TLS where that is asked for', (spec, address) => {
    const felix = objects(manifest('default', spec), manifest('node.n', { prometheusMetricsEnabled: true }));
    const { layer, ignored } = readFelixConfigurations(felix, 'n');
    expect(layer.get('metricsAddress')?.value).toBe(address);
    const origins = ignored.map(({ origin }) => origin).filter((origin) => origin.startsWith('node.n'));
    expect(origins).toEqual(address === undefined ? ['node.n prometheusMetricsEnabled'] : []);
    expect(readFelixConfigurations(objects(manifest('default', spec)), 'n').layer.size).toBe(0);
  });

  it('of another node has no say, and is listed', () => {
    const { layer, ignored } = readFelixConfigurations(objects(manifest('node.m', { interfacePrefix: 'x' })), 'n');
    expect(layer.size).toBe(0);
    expect(ignored.map(({ origin }) => origin)).toEqual(['node.m']);
  });

  it('lists what Calico knows and nothing here goes by', () => {
    const spec = { iptablesBackend: 'Auto', bpfEnforceRPF: 'Strict', defaultEndpointToHostAction: 'Drop' };
    const { ignored } = readFelixConfigurations(objects(manifest('default', spec)), '*');
    expect(ignored).toEqual([
      {
        origin: 'default bpfEnforceRPF',
        reason: expect.stringContaining('nothing of this is done'),
        leftUndone: expect.stringContaining("sources are checked on workloads' interfaces"),
      },
      { origin: 'default iptablesBackend', reason: 'no rules of iptables or nftables are written' },
    ]);
  });

  it.each([
    [{ interfacePrefx: 'cali' }, 'UNKNOWN_FIELD', 'did you mean interfacePrefix?'],
    [{ bpfAttachType: 'tcx' }, 'INVALID_FIELD', 'expected Netkit or TCX or TC'],
    [{ interfacePrefix: '' }, 'INVALID_FIELD', 'separated by commas'],
    [{ logSeverityScreen: 'loud' }, 'INVALID_FIELD', 'Trace, Debug'],
    [{ flowLogsFlushIntervall: '15s' }, 'UNKNOWN_FIELD', 'did you mean flowLogsFlushInterval?'],
    [{ flowLogsFlushInterval: 15 }, 'INVALID_FIELD', 'expected'],
    [{ flowLogsFlushInterval: 'soon' }, 'INVALID_FIELD', '15s'],
    [{ prometheusMetricsPort: 65536 }, 'INVALID_FIELD', '65535'],
    [{ prometheusMetricsHost: 'a b' }, 'INVALID_FIELD', 'IP address'],
    [{ nodeSelector: 'all()' }, 'UNSUPPORTED_FIELD', 'name the object node.<name>'],
  ])('refuses %j', (spec, code, text) => {
    const { resources, errors } = parseDocuments(manifest('default', spec), 'felix.yaml');
    expect(resources).toEqual([]);
    expect(errors).toMatchObject([{ code, message: expect.stringContaining(text) }]);
  });
});
