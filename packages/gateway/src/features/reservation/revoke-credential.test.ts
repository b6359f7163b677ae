import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type Timestamp, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  Act,
  DelegateCredentialRequestSchema,
  type DelegateCredentialResponse,
  IssueBundleCredentialRequestSchema,
  type IssueBundleCredentialResponse,
  IssueCredentialRequestSchema,
  type IssueCredentialResponse,
  PutBundleRequestSchema,
  type PutBundleResponse,
  RevokeCredentialRequestSchema,
  Role,
} from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { contextOf, testCaller } from "../../identity/testing/test-caller.ts";
import { openReservationWorld, type ReservationWorld } from "./testing/reservation-world.ts";

const redis = useRedis();
const courier = testCaller(Role.COURIER);
const context = contextOf(courier);
const dayMs = 86_400_000;
let world: ReservationWorld;
let siteId: string;

beforeEach(async () => {
  world = await openReservationWorld(redis, courier);
  siteId = await world.putSite(100);
});

async function confirmed(): Promise<string> {
  const { reservationId } = await world.steady.reserve(siteId);
  await world.steady.confirm(reservationId);
  return reservationId;
}

async function issued(reservationId: string, act: Act = Act.COLLECT): Promise<IssueCredentialResponse> {
  const request = create(IssueCredentialRequestSchema, { requestId: randomUUID(), reservationId, act });
  return (await world.steady.service.issueCredential(request, context)) as IssueCredentialResponse;
}

async function bundled(...reservationIds: string[]): Promise<string> {
  const request = create(PutBundleRequestSchema, { requestId: randomUUID(), reservationIds });
  return ((await world.steady.service.putBundle(request, context)) as PutBundleResponse).bundle?.bundleId ?? "";
}

/** "done" or the reason of the refusal. */
async function revoking(subject: string, credentialHash: string): Promise<string> {
  const request = create(RevokeCredentialRequestSchema, {
    requestId: randomUUID(),
    subject: { case: subject.startsWith("bdl") ? "bundleId" : "reservationId", value: subject },
    credentialHash,
  });
  return await Promise.resolve(world.steady.service.revokeCredential(request, context)).then(
    () => "done",
    ({ reason }: { reason: string }) => reason,
  );
}

const neverIssued = (count: number) => Array.from({ length: count }, (_, number) => String(number).padStart(43, "h"));

describe("a token's hash that was never issued", () => {
  it("is refused for a reservation however often, and takes none of the ten revocations", async () => {
    const reservationId = await confirmed();
    for (const hash of neverIssued(11)) expect(await revoking(reservationId, hash)).toBe("CREDENTIAL_NOT_FOUND");
    for (let count = 0; count < 10; count += 1)
      expect(await revoking(reservationId, (await issued(reservationId)).credentialHash)).toBe("done");
    expect(await revoking(reservationId, (await issued(reservationId)).credentialHash)).toBe("CREDENTIALS_EXHAUSTED");
  });

  it("is refused for a bundle, as are its parcels' own, and a bundle's token is known after its first parcels have left it", async () => {
    const [one, two] = [await confirmed(), await confirmed()];
    const bundleId = await bundled(one);
    const request = create(IssueBundleCredentialRequestSchema, { requestId: randomUUID(), bundleId });
    const { credentialHash } = (await world.steady.service.issueBundleCredential(request, context)) as IssueBundleCredentialResponse;
    const own = await issued(one);
    const change = create(PutBundleRequestSchema, { requestId: randomUUID(), bundleId, reservationIds: [two] });
    await world.steady.service.putBundle(change, context);
    for (const hash of [...neverIssued(11), own.credentialHash]) expect(await revoking(bundleId, hash)).toBe("CREDENTIAL_NOT_FOUND");
    expect(await revoking(one, credentialHash)).toBe("CREDENTIAL_NOT_FOUND");
    expect(await revoking(bundleId, credentialHash)).toBe("done");
  });

  it("is refused where the hash is another reservation's, and accepted for every act and for delegates", async () => {
    const [one, two] = [await confirmed(), await confirmed()];
    const [toDeposit, toCollect] = [await issued(one, Act.DEPOSIT), await issued(one)];
    const request = create(DelegateCredentialRequestSchema, { requestId: randomUUID(), accessToken: toCollect.accessToken });
    const child = (await world.steady.service.delegateCredential(request, context)) as DelegateCredentialResponse;
    for (const { credentialHash } of [toDeposit, toCollect, child]) {
      expect(await revoking(two, credentialHash)).toBe("CREDENTIAL_NOT_FOUND");
      expect(await revoking(one, credentialHash)).toBe("done");
      // Again, with another request id.
      expect(await revoking(one, credentialHash)).toBe("done");
    }
  });

  it("is accepted for a reservation from before issued tokens were recorded, and for those of gateways that are replaced a day later", async () => {
    const old = await confirmed();
    await world.steady.records.issuedCredentials.begin(world.clock.now());
    world.clock.advance(dayMs - 1000);
    const beside = await confirmed();
    world.clock.advance(2000);
    const recent = await confirmed();
    // A later start changes nothing.
    await world.steady.records.issuedCredentials.begin(world.clock.now());
    const [hash = ""] = neverIssued(1);
    expect(await revoking(beside, hash)).toBe("done");
    expect(await revoking(recent, hash)).toBe("CREDENTIAL_NOT_FOUND");
    world.clock.advance(-dayMs);
    expect(await revoking(old, hash)).toBe("done");
  });

  it("is refused an hour after its end, while it is recorded still", async () => {
    const [one, two] = [await confirmed(), await confirmed()];
    const [first, second] = [await issued(one, Act.DEPOSIT), await issued(two, Act.DEPOSIT)];
    await issued(one);
    world.clock.set(timestampMs(first.expiresAt as Timestamp) + 3_599_000);
    expect(await revoking(one, first.credentialHash)).toBe("done");
    world.clock.advance(2000);
    expect(await revoking(two, second.credentialHash)).toBe("CREDENTIAL_NOT_FOUND");
  });

  it("is recorded for 14 days after the last token of its reservation has ended, and no longer", async () => {
    const reservationId = await confirmed();
    await issued(reservationId);
    const key = createKeys(`${redis.keyPrefix}petak`).issued(reservationId.slice(4, 10), reservationId.slice(-16));
    // Free storage after the latest deposit.
    expect(await world.connection.pttl(key)).toBeGreaterThan((4 + 14) * dayMs - 60_000);
    await issued(reservationId, Act.DEPOSIT);
    expect(await world.connection.pttl(key)).toBeGreaterThan((4 + 14) * dayMs - 60_000);
    expect(await world.connection.pttl(key)).toBeLessThanOrEqual((4 + 14) * dayMs);
  });
});
