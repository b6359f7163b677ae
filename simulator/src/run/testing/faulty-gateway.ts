import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, request as requestOf, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { type DescMessage, type DescMethodUnary, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";

/** What a faulty gateway answers otherwise. */
export interface AnswerFault {
  /** The path of the call. */
  readonly path: string;
  /** Changes an answer. @param answer as the gateway gave it */
  readonly change: (answer: Uint8Array) => Uint8Array;
}

/** A fault in the answers of a method: changes the message as it likes. */
export function faultIn<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  change: (answer: MessageShape<O>) => void,
): AnswerFault {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    change(bytes) {
      const answer = fromBinary(method.output, bytes);
      change(answer);
      return toBinary(method.output, answer);
    },
  };
}

/** A proxy before a gateway. */
export interface FaultyGateway {
  readonly url: string;
  /** What is changed in answers from now on. */
  faults: readonly AnswerFault[];
  stop(): Promise<void>;
}

/** Starts a proxy for HTTP/1.1. Answers to Connect calls in binary that went well are decoded, changed and encoded again; everything else passes as it is. */
export async function startFaultyGateway(gatewayUrl: string): Promise<FaultyGateway> {
  const upstream = new Agent({ keepAlive: true });
  const server = createServer((incoming, outgoing) => {
    forward(incoming, outgoing).catch(() => outgoing.destroy());
  });

  async function forward(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { method, url = "/" } = incoming;
    // Without it the gateway compresses nothing.
    const { "accept-encoding": _, ...headers } = incoming.headers;
    const request = requestOf(new URL(url, gatewayUrl), {
      agent: upstream,
      method,
      headers: { ...headers, host: new URL(gatewayUrl).host },
    });
    outgoing.on("close", () => request.destroy());
    incoming.pipe(request);
    const [answer] = (await once(request, "response")) as [IncomingMessage];
    const { "content-length": __, "transfer-encoding": ___, connection: ____, ...given } = answer.headers;
    const path = url.replace(/\?.*$/, "");
    let bytes: Uint8Array = await buffer(answer);
    if (answer.statusCode === 200 && answer.headers["content-type"] === "application/proto") {
      for (const fault of gateway.faults) if (fault.path === path) bytes = fault.change(bytes);
    }
    outgoing.writeHead(answer.statusCode ?? 502, { ...given, "content-length": bytes.length }).end(bytes);
  }

  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const gateway: FaultyGateway = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults: [],
    async stop() {
      upstream.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return gateway;
}
