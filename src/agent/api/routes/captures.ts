// Packets of endpoints with their bytes and verdicts, as they come.
import { toPacketLine } from '../../capture/capture-line.ts';
import { parseCaptureRequest } from '../../capture/capture-request.ts';
import { readJson } from '../body.ts';
import type { ApiContext, ApiRequest, Responder, Route } from '../route.ts';

/** What may wait for a client that reads slowly; what comes then is left out, and counted. */
const MAX_WAITING_BYTES = 2 * 1024 * 1024;

export const CAPTURE_ROUTES: readonly Route[] = [
  {
    method: 'POST',
    path: '/v1/captures',
    id: 'capture',
    summary: 'Packets of endpoints, or all that are dropped, with their bytes and verdicts; one JSON object a line',
    body: { contentTypes: ['application/json'], schema: 'CaptureRequest' },
    answer: { contentType: 'application/x-ndjson' },
    handle: capture,
  },
];

async function capture({ agent }: ApiContext, request: ApiRequest, responder: Responder): Promise<undefined> {
  const asked = parseCaptureRequest(await readJson(request));
  await agent.loaded;
  const { captures } = agent.flows;
  const { response } = responder;
  let unsent = 0;
  let said = '';
  const sayHowMuch = (isEnd: boolean): void => {
    const line = { statistics: { ...running.missed, unsent }, isEnd };
    const text = JSON.stringify(line);
    if (text !== said) stream.writeLine(line);
    said = text;
  };
  // Before the answer begins: what is refused is answered as any other failure.
  const running = captures.start(asked, {
    onPacket: (packet) => {
      if (response.writableLength > MAX_WAITING_BYTES) unsent += 1;
      else stream.writeLine({ packet: toPacketLine(packet) });
    },
    onTick: () => sayHowMuch(false),
    onEnd: () => {
      sayHowMuch(true);
      response.end();
    },
  });
  const stream = responder.stream();
  const { snapBytes, seconds } = asked;
  stream.writeLine({ endpoints: running.endpoints, snapBytes, seconds });
  stream.onEnd(() => captures.stop(running));
}
