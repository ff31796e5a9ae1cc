// Calico's FelixConfiguration as written: every field that Calico knows, so that a misspelled one can be told from one that
// is another dataplane's business. Which of them mean something here is known to src/agent/config.
import { z } from 'zod';
import { FAILSAFE_PROTOCOLS, parseFailsafePorts } from '../failsafe-ports.ts';
import { strictMetadata } from './metadata.ts';
import { choice, netText } from './primitives.ts';

/** Felix's own names of log levels, in any case. */
const severity = z.string().refine((text) => /^(trace|debug|info|warning|error|fatal)$/i.test(text), {
  error: 'Trace, Debug, Info, Warning, Error or Fatal',
});

/** As Go writes it. */
const duration = z.string().refine((text) => /^(\d+(\.\d+)?(ms|s|m|h)){1,4}$/.test(text), {
  error: 'a time, as 15s, 1m30s or 500ms',
});

/** Checked, because they are used. */
const USED = {
  bpfAttachType: z.enum(['Netkit', 'TCX', 'TC']).optional(),
  bpfMapSizeConntrack: z.number().int().min(1).optional(),
  flowLogsFlushInterval: duration.optional(),
  interfacePrefix: z
    .string()
    .refine((text) => /^[a-zA-Z0-9_-]{1,15}(,[a-zA-Z0-9_-]{1,15})*$/.test(text), {
      error: 'prefixes of interface names, separated by commas',
    })
    .optional(),
  logActionRateLimit: z
    .string()
    .refine((text) => /^[1-9]\d{0,5}\/(s|sec|second|m|min|minute|h|hour|d|day)$/.test(text), {
      error: 'a number for each second, minute, hour or day, as 10/second',
    })
    .optional(),
  logActionRateLimitBurst: z.number().int().min(1).max(100_000).optional(),
  logPrefix: z
    .string()
    .max(256)
    .refine((text) => /^\P{Cc}*$/u.test(text), { error: 'one line of printable text' })
    .optional(),
  logSeverityScreen: severity.optional(),
  nodeSelector: z.string().optional(),
  prometheusMetricsEnabled: z.boolean().optional(),
  prometheusMetricsHost: z
    .string()
    .refine((text) => /^[a-zA-Z0-9:._+-]{0,64}$/.test(text), { error: 'an IP address, or the name of a host' })
    .optional(),
  prometheusMetricsPort: z.number().int().min(0).max(65535).optional(),
} as const;

const failsafePorts = z.union([
  z.array(
    z.strictObject({
      protocol: choice(FAILSAFE_PROTOCOLS).optional(),
      net: netText.or(z.literal('')).optional(),
      port: z.number().int().min(0).max(65535),
    }),
  ),
  z.string().refine((text) => parseFailsafePorts(text) !== undefined, {
    error: 'a list of {protocol, net, port}, `none`, or [protocol:][net:]port separated by commas',
  }),
]);

/** Checked, because policy of host endpoints goes by them: src/model/parse/host-settings.ts. */
const POLICY = {
  defaultEndpointToHostAction: choice(['Drop', 'Accept', 'Return']).optional(),
  failsafeInboundHostPorts: failsafePorts.optional(),
  failsafeOutboundHostPorts: failsafePorts.optional(),
} as const;

/** Why nothing comes of a field here -> the fields. */
const UNUSED = {
  'policy alone says what passes here: nothing of this is done': `allowIPIPPacketsFromWorkloads
    allowVXLANPacketsFromWorkloads bpfConntrackTimeouts bpfEnforceRPF bpfForceTrackPacketsFromIfaces bpfHostConntrackBypass
    disableConntrackInvalidCheck dropActionOverride externalNodesList serviceLoopPrevention workloadSourceSpoofing`,
  'the agent writes its log to standard error, which systemd keeps': `logDebugFilenameRegex logFilePath logSeverityFile logSeveritySys`,
  "health and metrics are answered on the agent's socket": `healthEnabled healthHost healthPort healthTimeoutOverrides
    prometheusGoMetricsEnabled prometheusMetricsCAFile prometheusMetricsCertFile prometheusMetricsClientAuth
    prometheusMetricsKeyFile prometheusProcessMetricsEnabled prometheusWireGuardMetricsEnabled`,
  'interfaces and programs are watched, not polled': `dataplaneWatchdogTimeout interfaceRefreshInterval ipsetsRefreshInterval
    iptablesPostWriteCheckInterval iptablesRefreshInterval netlinkTimeout nftablesRefreshInterval routeRefreshInterval
    xdpRefreshInterval`,
  'no rules of iptables or nftables are written': `chainInsertMode iptablesBackend
    iptablesFilterAllowAction iptablesFilterDenyAction iptablesLockFilePath iptablesLockProbeInterval iptablesLockTimeout
    iptablesMangleAllowAction iptablesMarkMask iptablesNATOutgoingInterfaceFilter kubeNodePortRanges maxIpsetSize
    nftablesFilterAllowAction nftablesFilterDenyAction nftablesFlowTableDataIfacePattern nftablesFlowTableOffload
    nftablesMangleAllowAction nftablesMarkMask nftablesMode sidecarAccelerationEnabled genericXDPEnabled xdpEnabled`,
  'no routes, addresses or tunnels are made': `awsSrcDstCheck cgroupV2Path deviceRouteProtocol deviceRouteSourceAddress
    deviceRouteSourceAddressIPv6 floatingIPs ipForwarding ipipEnabled ipipMTU ipv4ElevatedRoutePriority
    ipv4NormalRoutePriority ipv6ElevatedRoutePriority ipv6NormalRoutePriority istioAmbientMode istioDSCPMark
    liveMigrationRouteConvergenceTime localSubnetL2Reachability localSubnetL2ReachabilityRefreshInterval mtuIfacePattern
    natOutgoingAddress natOutgoingExclusions natPortRange programClusterRoutes removeExternalRoutes requireMTUFile
    routeSource routeSyncDisabled routeTableRange routeTableRanges vxlanEnabled vxlanMTU vxlanMTUV6 vxlanPort vxlanVNI
    wireguardEnabled wireguardEnabledV6 wireguardHostEncryptionEnabled wireguardInterfaceName wireguardInterfaceNameV6
    wireguardKeepAlive wireguardListeningPort wireguardListeningPortV6 wireguardMTU wireguardMTUV6
    wireguardPersistentKeepAlive wireguardRoutingRulePriority wireguardThreadingEnabled`,
  'services are not balanced here': `bpfCTLBLogFilter bpfConnectTimeLoadBalancing bpfConnectTimeLoadBalancingEnabled
    bpfDSROptoutCIDRs bpfExcludeCIDRsFromNAT bpfExtToServiceConnmark bpfExternalServiceMode bpfHostNetworkedNATWithoutCTLB
    bpfKubeProxyEndpointSlicesEnabled bpfKubeProxyHealthzPort bpfKubeProxyIptablesCleanupEnabled
    bpfKubeProxyMinSyncPeriod bpfMaglevMaxEndpointsPerService bpfMaglevMaxServices bpfMapSizeNATAffinity
    bpfMapSizeNATBackend bpfMapSizeNATFrontend bpfPSNATPorts`,
  'belongs to how Calico builds its own programs and maps': `bpfConntrackLogLevel bpfConntrackMode bpfDataIfacePattern
    bpfDisableGROForIfaces bpfDisableUnprivileged bpfEnabled bpfExportBufferSizeMB bpfIPFragTimeout
    bpfIPFragmentReassemblyEnabled bpfJITHardening bpfL3IfacePattern bpfLogFilters bpfLogLevel
    bpfMapSizeConntrackCleanupQueue bpfMapSizeConntrackScaling bpfMapSizeIPSets bpfMapSizeIfState
    bpfMapSizePerCpuConntrack bpfMapSizeRoute bpfOverlayHostSourceIP bpfPolicyDebugEnabled bpfProfiling bpfRedirectToPeer`,
  "belongs to Felix's own process": `dataplaneDriver debugDisableLogDropping debugHost debugMemoryProfilePath debugPort
    debugSimulateCalcGraphHangAfter debugSimulateDataplaneApplyDelay debugSimulateDataplaneHangAfter
    endpointReportingDelay endpointReportingEnabled endpointStatusPathPrefix featureDetectOverride featureGates goGCThreshold
    goMaxProcs goMemoryLimitMB interfaceExclude ipv6Support metadataAddr metadataPort openstackRegion policySyncPathPrefix
    reportingInterval reportingTTL usageReportingEnabled usageReportingInitialDelay usageReportingInterval
    useInternalDataplaneDriver windowsManageFirewallRules`,
  'flow logs are kept and sent as docs/observability.md says': `flowLogsCollectorDebugTrace flowLogsGoldmaneServer
    flowLogsLocalReporter flowLogsPolicyEvaluationMode`,
} as const;

/** Fields that Calico knows and Tortie accepts without effect, each with the reason. */
export const UNUSED_FELIX_FIELDS: ReadonlyMap<string, string> = new Map(
  Object.entries(UNUSED).flatMap(([reason, names]) => names.split(/\s+/).map((name) => [name, reason] as const)),
);

const anything = z.unknown().optional();

export const felixConfiguration = z.strictObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: strictMetadata,
  status: anything,
  spec: z
    .strictObject({
      ...Object.fromEntries([...UNUSED_FELIX_FIELDS.keys()].map((name) => [name, anything])),
      ...POLICY,
      ...USED,
    })
    .default({}),
});

/** Only the fields that are read are typed; others may be there. */
export type FelixConfigurationSpec = { readonly [F in keyof typeof USED]?: z.infer<(typeof USED)[F]> } & {
  readonly [F in keyof typeof POLICY]?: z.infer<(typeof POLICY)[F]>;
};
export type UsedFelixField = keyof typeof USED;
