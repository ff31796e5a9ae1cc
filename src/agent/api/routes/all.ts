// Every route of the API: what the server answers and what openapi.ts describes.
import type { Route } from '../route.ts';
import { AGENT_ROUTES } from './agent.ts';
import { BLOCK_ROUTES } from './block.ts';
import { CAPTURE_ROUTES } from './captures.ts';
import { FLOW_ROUTES } from './flows.ts';
import { HISTORY_ROUTES } from './history.ts';
import { PROBE_ROUTES } from './probes.ts';
import { RESOURCE_ROUTES } from './resources.ts';
import { TRANSFER_ROUTES } from './transfer.ts';
import { WHISKER_ROUTES } from './whisker.ts';
import { WHY_ROUTES } from './why.ts';

/** All but /openapi.json itself. */
export const ROUTES: readonly Route[] = [
  ...AGENT_ROUTES,
  ...RESOURCE_ROUTES,
  ...TRANSFER_ROUTES,
  ...HISTORY_ROUTES,
  ...WHY_ROUTES,
  ...BLOCK_ROUTES,
  ...FLOW_ROUTES,
  ...WHISKER_ROUTES,
  ...PROBE_ROUTES,
  ...CAPTURE_ROUTES,
];
