// The command lines of QEMU and virtiofsd for one guest: pure.
import path from 'node:path';

/** Where the guest's ends are on the host, all in one folder. */
export interface GuestFiles {
  readonly initramfs: string;
  readonly console: string;
  readonly share: string;
  readonly out: string;
  readonly err: string;
  readonly exit: string;
  /** Only of a task that is spoken to. */
  readonly in: string;
}

/** One cable between two guests: the first waits for the second. */
export interface Cable {
  readonly socket: string;
  readonly end: 'waits' | 'joins';
  /** Where more than two share the cable, which then is somebody else's socket. */
  readonly mac?: string;
}

export interface GuestMachine {
  readonly kernel: string;
  readonly files: GuestFiles;
  readonly memoryMb: number;
  readonly cpus: number;
  readonly hasKvm: boolean;
  readonly cable?: Cable;
  readonly hasInput?: boolean;
  /** An image with a file system, written to. */
  readonly disk?: string;
}

export function guestFiles(folder: string): GuestFiles {
  const file = (name: string) => path.join(folder, name);
  return {
    initramfs: file('initramfs'),
    console: file('console.log'),
    share: file('share'),
    out: file('out'),
    err: file('err'),
    exit: file('exit'),
    in: file('in'),
  };
}

/** A panic or an oops ends the guest at once; the clock is the host's, whatever the guest's watchdogs think of it. */
const KERNEL_WORDS =
  'console=ttyS0 loglevel=4 panic=-1 oops=panic mitigations=off nowatchdog tsc=reliable no_timer_check';

export function qemuWords({ kernel, files, memoryMb, cpus, hasKvm, cable, hasInput, disk }: GuestMachine): string[] {
  return [
    ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-M', 'q35'],
    ...(hasKvm ? ['-accel', 'kvm', '-accel', 'tcg,thread=multi'] : ['-accel', 'tcg,thread=multi']),
    ...['-cpu', hasKvm ? 'max' : 'Nehalem-v1', '-smp', String(cpus), '-m', `${memoryMb}M`],
    ...['-object', `memory-backend-memfd,id=memory,size=${memoryMb}M,share=on`, '-numa', 'node,memdev=memory'],
    ...['-kernel', kernel, '-initrd', files.initramfs, '-append', KERNEL_WORDS],
    ...['-chardev', `file,id=console,path=${escaped(files.console)}`, '-serial', 'chardev:console'],
    ...['-chardev', `socket,id=share,path=${escaped(files.share)}`],
    ...['-device', 'vhost-user-fs-pci,chardev=share,tag=host'],
    ...[
      '-device',
      'virtio-serial-pci',
      ...(['out', 'err', 'exit'] as const).flatMap((name) => port(name, files[name])),
    ],
    ...(hasInput ? port('in', files.in) : []),
    ...(cable === undefined ? [] : network(cable)),
    ...(disk === undefined ? [] : drive(disk)),
  ];
}

/** Of the one that is part of QEMU up to 7.2 and of the one that came after it alike. */
export function virtiofsdWords(files: GuestFiles): string[] {
  return [`--socket-path=${files.share}`, '-o', 'source=/', '-o', 'cache=always', '-o', 'sandbox=chroot'];
}

function port(name: string, socket: string): string[] {
  return [
    ...['-chardev', `socket,id=${name},path=${escaped(socket)}`],
    ...['-device', `virtserialport,chardev=${name},name=tortie.${name}`],
  ];
}

function network({ socket, end, mac = end === 'waits' ? '52:54:00:00:00:01' : '52:54:00:00:00:02' }: Cable): string[] {
  const address = `addr.type=unix,addr.path=${escaped(socket)}`;
  return [
    ...['-netdev', `stream,id=cable,server=${end === 'waits' ? 'on' : 'off'},${address}`],
    ...['-device', `virtio-net-pci,netdev=cable,mac=${mac},romfile=`],
  ];
}

function drive(file: string): string[] {
  return [
    ...['-drive', `file=${escaped(file)},if=none,id=disk,format=raw,cache=unsafe`],
    ...['-device', 'virtio-blk-pci,drive=disk'],
  ];
}

/** A comma ends a value, two are one. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,');
}
