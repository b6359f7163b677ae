import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { WebhookFailure } from "@petak/protocol";
import { createManualTimers, freePort, testCertificate, testKey } from "@petak/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { type Networks, parseNetworks } from "./networks.ts";
import { type Attempt, createPostEvent, type PostDependencies } from "./post-event.ts";
import { startReceiver } from "./testing/receiver.ts";
import { afterByTimer } from "./timers.ts";

const loopback = { allowedNetworks: parseNetworks("127.0.0.0/8") as Networks, allowHttp: true };
const never = new AbortController().signal;

/** Sends a small event to a URL. */
async function postTo(url: string, dependencies: Partial<PostDependencies> = {}): Promise<Attempt> {
  const post = createPostEvent({
    policy: loopback,
    resolve: () => Promise.resolve(["127.0.0.1"]),
    now: Date.now,
    after: afterByTimer,
    ...dependencies,
  });
  return await post({ url, headers: { "webhook-id": "evt_1" }, body: Buffer.from("{}") }, { timeoutMs: 15_000, signal: never });
}

/** A server of raw sockets. */
async function startRaw(onSocket: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe("an attempt", () => {
  it("is one POST with the given headers and body", async () => {
    const receiver = await startReceiver();
    expect(await postTo(`${receiver.url}?a=b`)).toMatchObject({ failure: WebhookFailure.UNSPECIFIED, status: 204, excerpt: "" });
    expect(receiver.received).toEqual([expect.objectContaining({ method: "POST", path: "/hooks?a=b", body: "{}", id: "evt_1" })]);
  });

  it.each([
    [200, "UNSPECIFIED"],
    [299, "UNSPECIFIED"],
    [301, "REDIRECTED"],
    [307, "REDIRECTED"],
    [304, "REDIRECTED"],
    [400, "CLIENT_ERROR"],
    [410, "GONE"],
    [429, "CLIENT_ERROR"],
    [500, "SERVER_ERROR"],
    [503, "SERVER_ERROR"],
    [700, "SERVER_ERROR"],
  ] as const)("that is answered with %i is %s", async (status, failure) => {
    const receiver = await startReceiver();
    receiver.answer(status);
    expect(await postTo(receiver.url)).toMatchObject({ status, failure: WebhookFailure[failure] });
  });

  it("follows no redirect", async () => {
    const [receiver, elsewhere] = await Promise.all([startReceiver(), startReceiver()]);
    receiver.answer((response) => void response.writeHead(302, { location: elsewhere.url }).end());
    expect(await postTo(receiver.url)).toMatchObject({ status: 302, failure: WebhookFailure.REDIRECTED });
    expect(elsewhere.received).toEqual([]);
  });

  it("reports the delay in Retry-After", async () => {
    const receiver = await startReceiver();
    receiver.answer((response) => void response.writeHead(503, { "retry-after": "120" }).end());
    expect(await postTo(receiver.url)).toMatchObject({ status: 503, retryAfterMs: 120_000 });
  });

  it("shows the beginning of the response, printable text only", async () => {
    const receiver = await startReceiver();
    receiver.answer((response) => void response.writeHead(400).end(`no\u0000\u001b[31m such\r\n order\u202e ${"x".repeat(100_000)}`));
    const { excerpt } = await postTo(receiver.url);
    expect(excerpt.slice(0, 24)).toBe("no [31m such order xxxxx");
    expect(excerpt.length).toBe(200);
  });

  it("does not wait for a body that never ends", async () => {
    const timers = createManualTimers();
    const receiver = await startReceiver();
    receiver.answer((response) => void response.writeHead(200).write("and so on"));
    let attempt: Attempt | undefined;
    void postTo(receiver.url, timers).then((ended) => {
      attempt = ended;
    });
    await expect.poll(() => receiver.received.length).toBe(1);
    const ended = expect.poll(() => {
      timers.advance(1000);
      return attempt;
    });
    await ended.toMatchObject({ failure: WebhookFailure.UNSPECIFIED, status: 200, excerpt: "and so on" });
  });

  it.each<[string, (socket: Socket) => void]>([
    ["is not answered at all", () => undefined],
    ["gets a head that does not end", (socket) => void socket.write("HTTP/1.1 200 OK\r\nx: ")],
  ])("that %s ends after its time", async (_what, onSocket) => {
    const timers = createManualTimers();
    const connected = Promise.withResolvers<void>();
    const url = await startRaw((socket) => {
      onSocket(socket);
      connected.resolve();
    });
    const attempt = postTo(url, timers);
    await connected.promise;
    timers.advance(15_000);
    expect(await attempt).toMatchObject({ failure: WebhookFailure.TIMED_OUT, status: 0, tookMs: 15_000 });
  });

  it.each<[string, WebhookFailure, (socket: Socket) => void]>([
    ["is hung up on", WebhookFailure.CONNECTION_FAILED, (socket) => void socket.destroy()],
    ["gets no HTTP", WebhookFailure.RESPONSE_MALFORMED, (socket) => void socket.end("SSH-2.0-OpenSSH_9.6\r\n")],
    ["gets an endless head", WebhookFailure.RESPONSE_MALFORMED, (socket) => void socket.end(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(20_000)}`)],
    [
      "gets another protocol",
      WebhookFailure.RESPONSE_MALFORMED,
      (socket) => void socket.end("HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n"),
    ],
  ])("that %s fails", async (_what, failure, onSocket) => {
    expect(await postTo(await startRaw(onSocket))).toMatchObject({ failure, status: 0 });
  });

  it("fails if nothing listens at the address", async () => {
    expect(await postTo(`http://127.0.0.1:${await freePort()}/`)).toMatchObject({ failure: WebhookFailure.CONNECTION_FAILED, status: 0 });
  });

  it("is aborted by the signal and rejects", async () => {
    const url = await startRaw(() => cut.abort(new Error("the gateway stops")));
    const cut = new AbortController();
    const post = createPostEvent({ policy: loopback, resolve: () => Promise.resolve([]), now: Date.now, after: afterByTimer });
    const attempt = post({ url, headers: {}, body: Buffer.from("{}") }, { timeoutMs: 15_000, signal: cut.signal });
    await expect(attempt).rejects.toThrow("the gateway stops");
  });
});

describe("over TLS", () => {
  it("the certificate must be trusted", async () => {
    const receiver = await startReceiver({ tls: { cert: testCertificate, key: testKey } });
    const url = `https://localhost:${receiver.port}/`;
    expect(await postTo(url)).toMatchObject({ failure: WebhookFailure.TLS_FAILED, status: 0 });
    expect(await postTo(url, { trustedCertificates: testCertificate })).toMatchObject({ failure: WebhookFailure.UNSPECIFIED });
  });

  it("the certificate must match the name, whatever address it resolves to", async () => {
    const receiver = await startReceiver({ tls: { cert: testCertificate, key: testKey } });
    const attempt = await postTo(`https://other.example:${receiver.port}/`, { trustedCertificates: testCertificate });
    expect(attempt).toMatchObject({ failure: WebhookFailure.TLS_FAILED, status: 0 });
    expect(receiver.received).toEqual([]);
  });

  it("an endpoint that speaks no TLS fails", async () => {
    const receiver = await startReceiver();
    expect(await postTo(`https://127.0.0.1:${receiver.port}/`)).toMatchObject({ failure: WebhookFailure.TLS_FAILED });
  });
});

describe("the address of a name", () => {
  const strict = { allowedNetworks: [], allowHttp: true };

  it.each([["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["::1"], ["::ffff:127.0.0.1"], ["8.8.8.8", "192.168.0.1"]])(
    "%s is refused, and nobody is connected to",
    async (...addresses) => {
      const receiver = await startReceiver();
      const attempt = await postTo(`http://hooks.example:${receiver.port}/`, { policy: strict, resolve: () => Promise.resolve(addresses) });
      expect(attempt).toMatchObject({ failure: WebhookFailure.ADDRESS_REFUSED, status: 0 });
      expect(receiver.received).toEqual([]);
    },
  );

  it("is checked for an address in the URL too", async () => {
    const receiver = await startReceiver();
    const hosts = ["127.0.0.1", "0x7f000001", "[::ffff:127.0.0.1]"];
    for (const host of hosts) {
      const attempt = await postTo(`http://${host}:${receiver.port}/`, { policy: strict });
      expect(attempt).toMatchObject({ failure: WebhookFailure.ADDRESS_REFUSED });
    }
    expect(receiver.received).toEqual([]);
  });

  it("is resolved once, and the connection uses that result even if the name changes afterwards", async () => {
    const good = await startReceiver();
    const answers = [["127.0.0.1"], ["127.0.0.2"]];
    let questions = 0;
    const resolve = () => Promise.resolve(answers[questions++] ?? []);
    const onlyFirst = { allowedNetworks: parseNetworks("127.0.0.1/32") as Networks, allowHttp: true };
    const url = `http://hooks.example:${good.port}/`;
    expect(await postTo(url, { policy: onlyFirst, resolve })).toMatchObject({ failure: WebhookFailure.UNSPECIFIED });
    expect([questions, good.received.map(({ headers }) => headers.host)]).toEqual([1, [`hooks.example:${good.port}`]]);
    // Each attempt resolves the name again.
    expect(await postTo(url, { policy: onlyFirst, resolve })).toMatchObject({ failure: WebhookFailure.ADDRESS_REFUSED });
    expect([questions, good.received.length]).toEqual([2, 1]);
  });

  it("is missing if the name does not resolve in time", async () => {
    expect(await postTo("http://hooks.example/", { resolve: () => Promise.resolve([]) })).toMatchObject({
      failure: WebhookFailure.NAME_NOT_RESOLVED,
    });
    const timers = createManualTimers();
    const silent = (_name: string, signal: AbortSignal) =>
      new Promise<string[]>((resolve) => signal.addEventListener("abort", () => resolve([]), { once: true }));
    const attempt = postTo("http://hooks.example/", { ...timers, resolve: silent });
    timers.advance(15_000);
    expect(await attempt).toMatchObject({ failure: WebhookFailure.TIMED_OUT });
  });

  it("gets unencrypted requests only if that is allowed", async () => {
    const receiver = await startReceiver();
    const attempt = await postTo(receiver.url, { policy: { ...loopback, allowHttp: false } });
    expect([attempt.failure, receiver.received]).toEqual([WebhookFailure.ADDRESS_REFUSED, []]);
  });
});
