import { Code } from "@connectrpc/connect";
import { codeToHttpStatus } from "@connectrpc/connect/protocol-connect";
import { type CatalogueEntry, CustodyService, catalogue, errorDomain, type Reason } from "@petak/protocol";
import { roundsHere, testSeed, useRedis } from "@petak/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inSideNetwork, untilInFlight } from "../testing/side-network.ts";
import { authorizationOf, startWorld, type World } from "../testing/world.ts";
import { pathOf } from "../wire/call.ts";
import { readFailure } from "../wire/failure.ts";
import { createHttp2Connection } from "../wire/http2-connection.ts";
import { wireProtocols } from "../wire/protocols.ts";
import { bundleProvocations } from "./bundle-provocations.ts";
import { callProvocations } from "./call-provocations.ts";
import { callerProvocations } from "./caller-provocations.ts";
import { choiceProvocations } from "./choice-provocations.ts";
import { commandProvocations } from "./command-provocations.ts";
import { durabilityProvocations } from "./durability-provocations.ts";
import { enrolmentProvocations } from "./enrolment-provocations.ts";
import { permissionProvocations } from "./permission-provocations.ts";
import { proofProvocations } from "./proof-provocations.ts";
import type { Provocation } from "./provocation.ts";
import { recordProvocations } from "./record-provocations.ts";
import { reportProvocations } from "./report-provocations.ts";
import { sandboxProvocations } from "./sandbox-provocations.ts";

/** A caller that disconnects gets no response, so this reason is observed in the gateway's log of the call. */
const seenInLog = ["CANCELED"] as const satisfies Reason[];

// The type requires a provocation or a test for every reason of the catalogue.
const provocations: Readonly<Record<Exclude<Reason, (typeof seenInLog)[number]>, Provocation>> = {
  ...bundleProvocations,
  ...callProvocations,
  ...durabilityProvocations,
  ...callerProvocations,
  ...choiceProvocations,
  ...commandProvocations,
  ...enrolmentProvocations,
  ...permissionProvocations,
  ...proofProvocations,
  ...recordProvocations,
  ...reportProvocations,
  ...sandboxProvocations,
};

/** Over how many protocols each reason is provoked. With fewer than all, the seed decides which. */
const protocolsOfEach = roundsHere({ short: 1, ci: 4 });

/** Whether a reason is provoked over a protocol, each by its place in its list. */
const isProvoked = (reason: number, protocol: number) => (reason + protocol + testSeed()) % wireProtocols.length < protocolsOfEach;

const redis = useRedis();
let world: World;

beforeAll(async () => {
  world = await startWorld(redis);
});
afterAll(() => world.stop());

it("every reason of the catalogue has a test, and no other reason has one", () => {
  expect([...Object.keys(provocations), ...seenInLog].sort()).toEqual(Object.keys(catalogue).sort());
});

describe.each(wireProtocols.map((protocol, place) => [protocol, place] as const))("over %s", (protocol, place) => {
  it.each(Object.entries(provocations).filter((_, index) => isProvoked(index, place)))(
    "%s has the code, metadata, fields and retry delay that the catalogue promises",
    async (reason, { provoke, metadata, fields = [] }) => {
      const entry: CatalogueEntry = catalogue[reason as Reason];
      const answer = await provoke({ world, redis, protocol });
      const failure = readFailure(answer);
      expect(failure).toMatchObject({ code: entry.code, reason, domain: errorDomain });
      expect(failure?.metadata).toEqual(metadata?.(world) ?? {});
      expect(Object.keys(entry.metadata)).toEqual(expect.arrayContaining(Object.keys(failure?.metadata ?? {})));
      expect(failure?.violations.map(({ field }) => field)).toEqual(fields);
      expect(failure?.violations.every(({ rule }) => rule !== "")).toBe(true);
      expect(failure?.preconditionSubject).toBe(entry.code === Code.FailedPrecondition ? failure?.metadata.subject : undefined);
      expect(failure?.retryAfterMs).toEqual(entry.retry === "retry_info" ? expect.any(Number) : undefined);
      const plain = { reason, field: fields[0], retryAfterMs: failure?.retryAfterMs };
      expect(failure?.plain).toEqual(protocol.startsWith("connect") ? plain : undefined);
      expect(failure?.message).not.toBe("");
      expect(answer.end).toBe("complete");
      expect(answer.headers["x-request-id"]).toMatch(/^[\w.-]+$/);
      const ofConnect = answer.headers["content-type"] === "application/json";
      expect(ofConnect ? [codeToHttpStatus(entry.code), ...(entry.otherStatuses ?? [])] : [200]).toContain(answer.status);
    },
  );
});

it("CANCELED is logged for a caller that disconnected", async () => {
  await inSideNetwork(redis, {}, async ({ network }) => {
    const http2 = createHttp2Connection(network.port);
    const leaving = new AbortController();
    const gone = http2.send({
      headers: {
        ":method": "POST",
        ":path": pathOf(CustodyService.method.listEvents),
        "content-type": "application/json",
        authorization: await authorizationOf(network.admin),
      },
      body: Buffer.from('{"wait":"30s"}'),
      timeoutMs: 60_000,
      signal: leaving.signal,
    });
    await untilInFlight(network, "unary", 1);
    leaving.abort();
    expect((await gone).end).toBe("left");
    await expect
      .poll(() => network.log().find(({ method }) => method === "petak.v1.CustodyService/ListEvents"))
      .toMatchObject({ code: "canceled", reason: "CANCELED" });
    http2.close();
  });
});
