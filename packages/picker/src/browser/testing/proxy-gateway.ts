import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { type EarlierManner, earlierAnswer, earlierCall } from "./earlier-calls.ts";

/** The path under which a shop passes calls on to its gateway. */
const path = "/gateway/";

/** A shop's path to a gateway, which a test can close. */
export interface GatewayProxy {
  /** `down`: connections break. `late`: calls wait until it is open. `older`: it answers like a program that is no gateway. */
  state: "open" | "down" | "late" | "older";
  /** Set: the gateway is of an earlier release, which takes so what it does not know. */
  earlier: EarlierManner | undefined;
  answer(request: IncomingMessage, response: ServerResponse): boolean;
}

/** Passes calls under `/gateway/` on to a gateway. */
export function proxyGateway(baseUrl: string): GatewayProxy {
  let state: GatewayProxy["state"] = "open";
  const waiting: (() => void)[] = [];

  /** A call that its page has given up, or that the gateway breaks, breaks here. */
  function passOn(request: IncomingMessage, response: ServerResponse): void {
    pass(request, response).catch(() => response.destroy());
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { authorization = "", origin = "" } = request.headers;
    const headers = { authorization, origin, "content-type": "application/json", "connect-protocol-version": "1" };
    const asked = { method: request.url?.slice(path.length) ?? "", body: await text(request) };
    const { method, body } = proxy.earlier === undefined ? asked : earlierCall(proxy.earlier, asked.method, asked.body);
    const answer = await fetch(`${baseUrl}/${method}`, { method: "POST", headers, body });
    const said = await answer.text();
    response
      .writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "" })
      .end(proxy.earlier !== undefined && answer.ok ? earlierAnswer(said) : said);
  }

  const proxy: GatewayProxy = {
    earlier: undefined,
    get state() {
      return state;
    },
    set state(next) {
      state = next;
      if (next === "open") for (const go of waiting.splice(0)) go();
    },
    answer(request, response) {
      if (request.url?.startsWith(path) !== true) return false;
      if (state === "down") request.socket.destroy();
      else if (state === "older") response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not found</h1>");
      else if (state === "late") waiting.push(() => passOn(request, response));
      else passOn(request, response);
      return true;
    },
  };
  return proxy;
}
