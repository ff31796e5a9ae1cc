import { describe, expect, it } from 'vitest';
import { parseResource } from '../../../src/model/parse/parse-resource.ts';
import { parseDocuments } from '../../../src/resources/document.ts';

const manifest = (spec: string, name = 'default', apiVersion = 'projectcalico.org/v3'): string =>
  `apiVersion: ${apiVersion}\nkind: KubeControllersConfiguration\nmetadata: {name: ${name}}\nspec: {${spec}}`;
const nodes = (text: string): string => manifest(`controllers: {node: {hostEndpoint: {autoCreate: Enabled, ${text}}}}`);
const template = (text: string): string => nodes(`templates: [{${text}}]`);

/** `CODE field`. */
function problemsOf(text: string): string[] {
  const { resources, errors } = parseDocuments(text, 'f.yaml');
  return [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)].map(
    ({ code, field }) => `${code} ${field}`,
  );
}

/** Every field that Calico has. */
const EVERYTHING = `
apiVersion: projectcalico.org/v3
kind: KubeControllersConfiguration
metadata: {name: default}
spec:
  logSeverityScreen: Info
  healthChecks: Enabled
  etcdV3CompactionPeriod: 10m
  prometheusMetricsPort: 9094
  debugProfilePort: 0
  controllers:
    node:
      reconcilerPeriod: 5m0s
      leakGracePeriod: 1h30m
      syncLabels: Enabled
      hostEndpoint:
        autoCreate: Enabled
        createDefaultHostEndpoint: Disabled
        templates:
          - generateName: custom-host-endpoint
            interfaceCIDRs: [1.2.3.0/24, "2001:db8::/32"]
            interfacePattern: eth0|eth1
            nodeSelector: has(my-label)
            labels: {key: value}
            annotations: {qos.projectcalico.org/dscp: EF}
    policy: {reconcilerPeriod: 5m}
    workloadEndpoint: {reconcilerPeriod: "0"}
    serviceAccount: {reconcilerPeriod: 1.5h}
    namespace: {reconcilerPeriod: 300s}
    loadBalancer: {assignIPs: RequestedServicesOnly}
    migration: {policyNameMigrator: Enabled}
    policyMigration: {enabled: Disabled}
status: {environmentVars: {LOG_LEVEL: info}, runningConfig: {}}`;

describe('KubeControllersConfiguration', () => {
  it('is taken with every field that Calico has, in either group', () => {
    expect(problemsOf(EVERYTHING)).toEqual([]);
    expect(problemsOf(manifest('', 'default', 'crd.projectcalico.org/v1'))).toEqual([]);
  });

  it.each([
    ['another name', manifest('', 'other'), 'INVALID_FIELD metadata.name'],
    ['a misspelled field', nodes('autocreate: Enabled'), 'autocreate'],
    ['a misspelled controller', manifest('controllers: {nodes: {}}'), 'UNKNOWN_FIELD spec.controllers.nodes'],
    ['another mode', nodes('createDefaultHostEndpoint: On'), 'INVALID_FIELD', 'createDefaultHostEndpoint'],
    [
      'a duration without a unit',
      manifest('etcdV3CompactionPeriod: "10"'),
      'INVALID_FIELD spec.etcdV3CompactionPeriod',
    ],
    ['a port out of range', manifest('prometheusMetricsPort: 70000'), 'INVALID_FIELD spec.prometheusMetricsPort'],
    ['too many templates', nodes(`templates: [${'{interfaceCIDRs: [1.2.3.0/24]},'.repeat(101)}]`), '.templates'],
    ['a template that is for nothing', template('generateName: t'), 'MISSING_FIELD', 'templates[0]'],
    ['a template of many without a name', template('interfacePattern: eth'), 'MISSING_FIELD', '[0].generateName'],
    ['a name that no object has', template('generateName: T_1, interfaceCIDRs: [1.2.3.0/24]'), '[0].generateName'],
    ['an address for a network', template('generateName: t, interfaceCIDRs: [1.2.3.4]'), '[0].interfaceCIDRs[0]'],
    ['a pattern that is none', template('generateName: t, interfacePattern: "eth("'), '[0].interfacePattern'],
    ['a label that is none', template('interfaceCIDRs: [1.2.3.0/24], labels: {"a b": c}'), '[0].labels'],
    ['a selector that is none', template('interfaceCIDRs: [1.2.3.0/24], nodeSelector: "a ="'), 'INVALID_SELECTOR'],
    ['global()', template('interfaceCIDRs: [1.2.3.0/24], nodeSelector: global()'), 'INVALID_SELECTOR'],
  ])('refuses %s', (_what, text, ...parts) => {
    const problems = problemsOf(text);
    expect(problems).toHaveLength(1);
    for (const part of parts) expect(problems[0]).toContain(part);
  });

  it('says of a pattern what is wrong with it', () => {
    const { errors } = parseDocuments(template('generateName: t, interfacePattern: "(?=eth)"'), 'f.yaml');
    expect(errors[0]?.message).toBe(
      'f.yaml:4: parse kubecontrollersconfiguration default: spec.controllers.node.hostEndpoint.templates[0].interfacePattern: error parsing regexp: invalid or unsupported Perl syntax: `(?=`: found "(?=eth)", expected a regular expression in the syntax of RE2',
    );
  });
});
