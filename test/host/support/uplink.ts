// One interface of the host to a network outside, over both families: what tests of the guard before the stack stand on.
export const UPLINK = 'up0';
export const HOST_V4 = '192.0.2.1';
export const HOST_V6 = '2001:db8:1::1';
/** Of the network outside. */
export const GATEWAY = '192.0.2.2';
export const OUTSIDE_V6 = '2001:db8:1::2';

export const NET = {
  name: 'net',
  hostInterface: UPLINK,
  subnets: [
    { host: `${HOST_V4}/24`, outsider: `${GATEWAY}/24` },
    { host: `${HOST_V6}/64`, outsider: `${OUTSIDE_V6}/64` },
  ],
} as const;
