import { randomUUID } from "node:crypto";
import { create, type Message } from "@bufbuild/protobuf";
import { DurationSchema, TimestampSchema, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import {
  CancellationReason,
  CorrectionReason,
  OverflowPolicySchema,
  ParcelSchema,
  Role,
  TermsSchema,
  WebhookFilterSchema,
} from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { expect, it } from "vitest";

const redis = useRedis();
const unknownBytes = 100_000;

/** The message with a large unknown field. */
function withUnknownField<One extends Message>(message: One): One {
  const data = Buffer.alloc(4 + unknownBytes, 7);
  // The length, as a varint of three bytes.
  data.set([(unknownBytes & 0x7f) | 0x80, ((unknownBytes >> 7) & 0x7f) | 0x80, unknownBytes >> 14]);
  message.$unknown = [{ no: 1000, wireType: 2, data: data.subarray(0, 3 + unknownBytes) }];
  return message;
}

const duration = (seconds: number) => withUnknownField(create(DurationSchema, { seconds: BigInt(seconds) }));
const time = (ms: number) => withUnknownField(create(TimestampSchema, timestampFromMs(ms)));

it("the gateway stores no unknown field of a request", async () => {
  const network = await startTestNetwork({ redis });
  try {
    const joined = [await network.join("Operator", [Role.OPERATOR]), await network.join("Merchant", [Role.MERCHANT])];
    // The JSON encoding omits unknown fields.
    const [operator, merchant] = joined.map(({ signer }) => network.clientFor(signer, { protocol: "grpc" })) as [PetakClient, PetakClient];
    const sites = ["one", "two"].map((ref) => makeSite({ latitude: 1.3, longitude: 103.8, ref }));
    const { results } = await operator.directory.upsertSites({ requestId: randomUUID(), sites });
    const [siteId = "", otherId = ""] = results.map((result) => result.siteId);
    const largeKeys = async () => {
      const names = await redis.client.keys(`${redis.keyPrefix}*`);
      const sizes = await Promise.all(names.map((name) => redis.client.memory("USAGE", name, "SAMPLES", 0)));
      return names.filter((_, index) => (sizes[index] ?? 0) > unknownBytes / 2);
    };

    const terms = withUnknownField(create(TermsSchema, { freeStorage: duration(3600), noShowAfter: duration(7200) }));
    await operator.directory.setDefaultTerms({ requestId: randomUUID(), terms });
    const parcel = withUnknownField(create(ParcelSchema, { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 }));
    const overflowPolicy = withUnknownField(create(OverflowPolicySchema, { maxDistanceM: 100, wait: duration(60) }));
    const { reservation } = await merchant.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: siteId },
      parcel,
      overflowPolicy,
      holdDuration: duration(60),
    });
    const reservationId = reservation?.reservationId ?? "";
    await merchant.reservations.confirm({ requestId: randomUUID(), reservationId, depositWithin: duration(600) });
    await merchant.reservations.extend({ requestId: randomUUID(), reservationId, until: time(Date.now() + 3_600_000) });
    const { events } = await operator.custody.getCustodyChain({ reservationId });
    await operator.custody.correctEvents({
      requestId: randomUUID(),
      reservationId,
      eventIds: [events[0]?.eventId ?? ""],
      reason: CorrectionReason.WRONG_TIME,
      occurredAt: time(Date.now() - 60_000),
    });
    await merchant.reservations.redirect({
      requestId: randomUUID(),
      reservationId,
      reason: CancellationReason.REROUTED,
      place: { case: "siteId", value: otherId },
      overflowPolicy,
    });
    await merchant.webhooks.createEndpoint({
      requestId: randomUUID(),
      url: "http://127.0.0.1:1024/",
      filter: withUnknownField(create(WebhookFilterSchema, {})),
    });
    expect(await largeKeys()).toEqual([]);
  } finally {
    await network.stop();
  }
});
