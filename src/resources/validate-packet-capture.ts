// Packet captures that could never capture anything.
import { parsePort } from './ports.ts';
import { protocolNumber, supportsPorts } from './protocols.ts';
import { quoteValue, type Report } from './report.ts';
import type { PacketCaptureSpec } from './schemas/packet-capture.ts';

/** Ports are numbers, of protocols that have some; a capture ends after it began. */
export function checkPacketCapture({ filters = [], startTime, endTime }: PacketCaptureSpec, report: Report): void {
  for (const [index, { protocol, ports = [] }] of filters.entries()) {
    const path = ['spec', 'filters', index, 'ports'];
    const hasPorts = protocol === undefined || supportsPorts(protocolNumber(protocol));
    if (ports.length > 0 && !hasPorts) {
      report(path, 'protocol does not support ports', { found: quoteValue(protocol), expected: 'TCP, UDP or SCTP' });
    }
    for (const [at, port] of ports.entries()) {
      if (parsePort(port).kind !== 'named') continue;
      report([...path, at], 'names of ports are not known of packets', {
        found: quoteValue(port),
        expected: 'a number, or a range such as "80:90"',
      });
    }
  }
  if (startTime !== undefined && endTime !== undefined && Date.parse(endTime) <= Date.parse(startTime)) {
    report(['spec', 'endTime'], 'ends before it begins', {
      found: quoteValue(endTime),
      expected: `after ${startTime}`,
    });
  }
}
