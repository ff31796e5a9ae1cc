// What the agent starts to keep flows in: see store-process.ts.
import { serveParent } from './store-process.ts';

export const server = serveParent();
