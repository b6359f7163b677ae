import { once } from "node:events";
import { connect, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { queryObjects } from "node:v8";
import { expect, onTestFinished, test, vi } from "vitest";
import { createLogger } from "../../observability/logger.ts";
import { Peer, setPeer } from "../limits/peer.ts";
import { defaultServerLimits } from "../limits/server-limits.ts";
import { createHttp2Sessions } from "./http2-sessions.ts";

const noop = () => {};
const { sessionIdleTimeoutMs } = defaultServerLimits;

/** Serves HTTP/2 on a free port. A stream is answered at once, or stays open if its path is `/open`. */
async function serve() {
  const kinds = new Set<new () => object>();
  const sessions = createHttp2Sessions({
    requestListener: Object.assign(noop, {
      takeStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
        if (stream.session !== undefined) kinds.add(stream.session.constructor as new () => object);
        stream.respond({ ":status": 200 }, { endStream: headers[":path"] !== "/open" });
        return true;
      },
    }),
    limits: defaultServerLimits,
    logger: createLogger({ level: "silent" }),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", noop);
    setPeer(socket, new Peer(socket.remoteAddress, undefined));
    sessions.take(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    sessions.destroy();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function open(path: string) {
    const client = connect(url);
    client.on("error", noop);
    const stream = client.request({ ":path": path });
    stream.on("error", noop).resume();
    await once(stream, "response");
    return { client, closed: once(client, "close") };
  }
  return { kinds, sockets, open };
}

test("nothing of a connection is kept when it is closed, however it was", async () => {
  const { kinds, sockets, open } = await serve();
  for (let round = 0; round < 20; round += 1) {
    const [graceful, cut, reset] = await Promise.all([open("/"), open("/open"), open("/open")]);
    graceful.client.close();
    cut.client.destroy();
    [...sockets].at(-1)?.resetAndDestroy();
    reset.client.destroy();
    await Promise.all([graceful.closed, cut.closed, reset.closed]);
  }
  await expect.poll(() => sockets.size).toBe(0);
  const [ServerSession, ...others] = kinds;
  if (ServerSession === undefined) throw new Error("no session was seen");
  expect(others).toEqual([]);
  // The last ones may stand in a list of Node's until the next turn.
  await expect.poll(() => queryObjects(ServerSession, { format: "count" })).toBeLessThan(6);
});

test("a connection is closed when it has no stream for a while, and not while it has one or sends pings", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const { open } = await serve();
  const [idle, busy, pinging] = await Promise.all([open("/"), open("/open"), open("/")]);
  vi.advanceTimersByTime(sessionIdleTimeoutMs - 1);
  await new Promise((resolve) => pinging.client.ping(resolve));
  vi.advanceTimersByTime(1);
  await idle.closed;
  vi.advanceTimersByTime(sessionIdleTimeoutMs - 2);
  await new Promise((resolve) => busy.client.ping(resolve));
  expect([busy, pinging].map(({ client }) => client.closed)).toEqual([false, false]);
  vi.advanceTimersByTime(1);
  await pinging.closed;
  vi.advanceTimersByTime(2 * sessionIdleTimeoutMs);
  await new Promise((resolve) => busy.client.ping(resolve));
  expect(busy.client.closed).toBe(false);
  busy.client.destroy();
});
