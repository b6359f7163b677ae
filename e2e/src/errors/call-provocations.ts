import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  CustodyService,
  DirectoryService,
  FindNearestRequestSchema,
  parseSiteId,
  type Reason,
  ReservationService,
  Role,
} from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { makeSite, startTestServer } from "@petak/testkit";
import { expect } from "vitest";
import { inSideNetwork, untilInFlight } from "../testing/side-network.ts";
import { authorizationOf, origin, parcel } from "../testing/world.ts";
import { envelope } from "../wire/envelope.ts";
import { readFailure } from "../wire/failure.ts";
import { bodyOf, callEncodingOf } from "../wire/protocols.ts";
import type { Provocation } from "./provocation.ts";

const { findNearest, getSite } = DirectoryService.method;
const { listEvents, watchEvents } = CustodyService.method;
const { getReservation } = ReservationService.method;
const longPoll = { fromNow: true, wait: { seconds: 30n } };

/** Provocations of the reasons about the call itself, whatever its subject. */
export const callProvocations = {
  INVALID_FIELD: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        findNearest,
        { origin: { latitude: 91, longitude: 0 }, parcel },
        { authorization: await authorizationOf(world.courier) },
      ),
    fields: ["origin.latitude"],
  },
  MALFORMED_MESSAGE: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        findNearest,
        {},
        {
          authorization: await authorizationOf(world.courier),
          body: bodyOf(callEncodingOf(protocol, false), Buffer.from("{]\xff", "latin1")),
        },
      ),
  },
  MESSAGE_TOO_LARGE: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        findNearest,
        {},
        {
          authorization: await authorizationOf(world.courier),
          body: bodyOf(callEncodingOf(protocol, false), Buffer.alloc(2 * 1024 * 1024, 0x20)),
        },
      ),
    metadata: () => ({ limit_bytes: "1048576" }),
  },
  METHOD_NOT_FOUND: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(protocol, findNearest, {}, { path: "/petak.v1.DirectoryService/FindFurthest" }),
  },
  ENCODING_NOT_SUPPORTED: {
    provoke: async ({ world, protocol }) => {
      const { encodingHeader, isFramed } = callEncodingOf(protocol, false);
      const message = gzipSync(toBinary(FindNearestRequestSchema, create(FindNearestRequestSchema, { origin, parcel })));
      return await world.raw.call(
        protocol,
        findNearest,
        {},
        {
          authorization: await authorizationOf(world.courier),
          headers: { [encodingHeader]: "br" },
          body: isFramed ? envelope(message, 1) : message,
        },
      );
    },
    metadata: () => ({ encoding: "br", supported: "gzip" }),
  },
  DEADLINE_EXCEEDED: {
    provoke: async ({ world, protocol }) =>
      await world.raw.call(
        protocol,
        watchEvents,
        { fromNow: true },
        { authorization: await authorizationOf(world.stranger), timeoutMs: 50 },
      ),
    metadata: () => ({ timeout_ms: "50" }),
  },
  OVERLOADED: {
    provoke: ({ redis, protocol }) =>
      inSideNetwork(redis, { callLimits: { maxConcurrentCalls: 1 } }, async ({ network, raw }) => {
        const authorization = await authorizationOf(network.admin);
        const first = raw.call(protocol, listEvents, longPoll, { authorization, timeoutMs: 2000 });
        await untilInFlight(network, "unary", 1);
        const second = await raw.call(protocol, getSite, { siteId: "site_83652b_k3v9c0x2md000001" }, { authorization });
        await network.stop();
        // The call was in progress, so the stop lets it finish.
        expect(readFailure(await first)).toBeUndefined();
        return second;
      }),
    metadata: () => ({ kind: "unary", limit: "1" }),
  },
  SHUTTING_DOWN: {
    provoke: ({ redis, protocol }) =>
      inSideNetwork(redis, {}, async ({ network, raw }) => {
        const stream = raw.call(protocol, watchEvents, { fromNow: true }, { authorization: await authorizationOf(network.admin) });
        await untilInFlight(network, "stream", 1);
        await network.stop();
        return await stream;
      }),
  },
  STORE_UNAVAILABLE: {
    provoke: async ({ protocol }) => {
      await using server = await startTestServer();
      return await inSideNetwork(server, {}, async ({ network, raw }) => {
        const courier = await network.join("Courier", [Role.COURIER]);
        const call = async () =>
          await raw.call(protocol, findNearest, { origin, parcel }, { authorization: await authorizationOf(courier) });
        expect(readFailure(await call())).toBeUndefined();
        await server.kill9();
        const refused = await call();
        await server.restart();
        await expect.poll(async () => readFailure(await call())?.reason, { interval: 20 }).toBeUndefined();
        return refused;
      });
    },
  },
  ARCHIVE_UNAVAILABLE: {
    provoke: ({ redis, protocol }) =>
      inSideNetwork(redis, {}, async ({ network, raw }) => {
        const courier = await network.join("Courier", [Role.COURIER]);
        // Another gateway has archived, and this one was started without the archive.
        await redis.client.set(createKeys(network.shared.keyPrefix).archivedUntil("83652b"), Date.now());
        const reservationId = "res_83652b_0000000000000000";
        return await raw.call(protocol, getReservation, { reservationId }, { authorization: await authorizationOf(courier) });
      }),
  },
  INTERNAL: {
    provoke: ({ redis, protocol }) =>
      inSideNetwork(redis, {}, async ({ network, raw }) => {
        const operator = await network.join("Operator", [Role.OPERATOR]);
        const siteId = await network.putSite(operator, makeSite(origin));
        const { region, siteNumber } = parseSiteId(siteId) ?? { region: "", siteNumber: 0 };
        // The record is corrupted, which the gateway may assume never to happen.
        const key = createKeys(network.shared.keyPrefix).site(region, siteNumber);
        await redis.client.setrange(key, (await redis.client.strlen(key)) - 8, Buffer.from("defect\xff\xff", "latin1"));
        const answer = await raw.call(
          protocol,
          getSite,
          { siteId },
          { authorization: await authorizationOf(operator), headers: { "x-request-id": "find-me" } },
        );
        expect(answer.headers["x-request-id"]).toBe("find-me");
        expect(readFailure(answer)?.message).toBe("The gateway has a defect. Report it with the request id find-me.");
        const defects = network.log().filter(({ msg }) => msg === "defect");
        expect(defects).toEqual([expect.objectContaining({ level: 50, request_id: "find-me" })]);
        const { err } = defects[0] ?? {};
        if (err === undefined) throw new Error("the line of the defect has no error");
        // Nothing of the logged error is in the response.
        const sent = JSON.stringify([answer.headers, answer.trailers, answer.body.toString("latin1")]);
        expect(sent).not.toContain(err.message);
        expect(sent).not.toMatch(/\.ts|\.js|node_modules| at |facts/);
        return answer;
      }),
    metadata: () => ({ request_id: "find-me" }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
