// One probe from where this process is: a TCP handshake, or a UDP datagram and its echo.
import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { ProbeProtocol, ProbeResult, ProbeSample } from '../../observe/probe/report.ts';
import { isAnswer, probeDatagram } from './protocol.ts';

export interface ProbeTarget {
  readonly address: string;
  readonly port: number;
  readonly timeoutMs: number;
}

const RESULTS: Readonly<Record<string, ProbeResult>> = {
  ECONNREFUSED: 'refused',
  ECONNRESET: 'refused',
  EHOSTUNREACH: 'unreachable',
  ENETUNREACH: 'unreachable',
  EACCES: 'unreachable',
  EPERM: 'unreachable',
  ETIMEDOUT: 'timeout',
};

let count = 0;

/** Never rejects for what the network does. */
export function measure(protocol: ProbeProtocol, target: ProbeTarget): Promise<ProbeSample> {
  return protocol === 'TCP' ? measureTcp(target) : measureUdp(target);
}

function measureTcp({ address, port, timeoutMs }: ProbeTarget): Promise<ProbeSample> {
  return new Promise((resolve) => {
    const began = performance.now();
    const socket = connect({ host: address, port });
    const end = (result: ProbeResult): void => {
      const ms = performance.now() - began;
      clearTimeout(timer);
      socket.destroy();
      resolve({ protocol: 'TCP', result, ...(result === 'ok' && { ms }) });
    };
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    socket.once('connect', () => end('ok'));
    socket.once('error', (error) => end(resultOf(error)));
  });
}

function measureUdp({ address, port, timeoutMs }: ProbeTarget): Promise<ProbeSample> {
  return new Promise((resolve) => {
    count += 1;
    const id = `${process.pid}-${count}`;
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    let began = performance.now();
    const end = (result: ProbeResult): void => {
      const ms = performance.now() - began;
      clearTimeout(timer);
      socket.removeAllListeners();
      socket.close();
      resolve({ protocol: 'UDP', result, ...(result === 'ok' && { ms }) });
    };
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    socket.once('error', (error) => end(resultOf(error)));
    socket.on('message', (datagram) => {
      if (isAnswer(datagram, id)) end('ok');
    });
    // Connected, so that only the target is heard, and that ICMP errors are.
    socket.connect(port, address, () => {
      began = performance.now();
      socket.send(probeDatagram(id), (error) => {
        if (error !== null) end(resultOf(error));
      });
    });
  });
}

function resultOf(error: NodeJS.ErrnoException): ProbeResult {
  return RESULTS[error.code ?? ''] ?? 'failed';
}
