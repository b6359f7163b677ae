import { WebhookFailure } from "@petak/protocol";
import { describe, expect, it } from "vitest";
import { type Networks, parseNetworks } from "./networks.ts";
import { createPostEvent } from "./post-event.ts";
import { createDnsResolver } from "./resolve-host.ts";
import { startNameServer } from "./testing/name-server.ts";
import { startReceiver } from "./testing/receiver.ts";
import { afterByTimer } from "./timers.ts";

const never = new AbortController().signal;

describe("a name", () => {
  it("has the addresses from the name server", async () => {
    const server = await startNameServer((name) => (name === "hooks.example" ? ["192.0.2.1", "192.0.2.2"] : []));
    const resolve = createDnsResolver({ servers: [server.address] });
    expect(await resolve("hooks.example", never)).toEqual(["192.0.2.1", "192.0.2.2"]);
    expect(await resolve("nowhere.example", never)).toEqual([]);
    expect([...server.questions].sort()).toEqual(["hooks.example A", "hooks.example AAAA", "nowhere.example A", "nowhere.example AAAA"]);
  });

  it("that is special, like localhost and invalid, is not queried", async () => {
    const server = await startNameServer(() => ["192.0.2.1"]);
    const resolve = createDnsResolver({ servers: [server.address] });
    const names = ["localhost", "LocalHost.", "a.localhost", "hooks.invalid", "INVALID"];
    const found = await Promise.all(names.map((name) => resolve(name, never)));
    expect([found, server.questions]).toEqual([[["127.0.0.1", "::1"], ["127.0.0.1", "::1"], ["127.0.0.1", "::1"], [], []], []]);
  });

  it("is not resolved further after an abort", async () => {
    const given = new AbortController();
    const server = await startNameServer(() => {
      given.abort();
      return undefined;
    });
    expect(await createDnsResolver({ servers: [server.address] })("silent.example", given.signal)).toEqual([]);
  });

  it("that changes to an internal address is never connected to at that address", async () => {
    const receiver = await startReceiver();
    const addresses = ["127.0.0.1", "169.254.169.254", "10.0.0.1"];
    const server = await startNameServer(() => [addresses.shift() ?? ""]);
    const post = createPostEvent({
      policy: { allowedNetworks: parseNetworks("127.0.0.1/32") as Networks, allowHttp: true },
      resolve: createDnsResolver({ servers: [server.address] }),
      now: Date.now,
      after: afterByTimer,
    });
    const attempt = () =>
      post({ url: `http://rebind.example:${receiver.port}/`, headers: {}, body: Buffer.from("{}") }, { timeoutMs: 15_000, signal: never });
    // One query for each attempt: the connection uses its result.
    expect((await attempt()).failure).toBe(WebhookFailure.UNSPECIFIED);
    expect(server.questions).toEqual(expect.arrayContaining(["rebind.example A", "rebind.example AAAA"]));
    expect(server.questions.length).toBe(2);
    for (let again = 0; again < 2; again++) expect((await attempt()).failure).toBe(WebhookFailure.ADDRESS_REFUSED);
    expect([server.questions.length, receiver.received.length]).toEqual([6, 1]);
  });
});
