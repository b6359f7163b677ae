import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { generateKeyPair } from "@petak/credential";
import {
  Act,
  EventType,
  type IssueCredentialRequest,
  IssueCredentialRequestSchema,
  type RevokeCredentialRequest,
  RevokeCredentialRequestSchema,
  Role,
} from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { atEveryDeath, dies, useRedis } from "@petak/testkit";
import { beforeEach, expect, it } from "vitest";
import type { ParticipantCaller } from "../../identity/index.ts";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { issueServiceCredential } from "./issue-service-credential.ts";
import { revokeServiceCredential } from "./revoke-service-credential.ts";
import { openReservationWorld, type ReservationWorld } from "./testing/reservation-world.ts";

const redis = useRedis();
const { publicKey: holderPublicKey } = await generateKeyPair();
// The operator of the site.
const operator = testCaller(Role.OPERATOR, "par_0000000000000001");

let world: ReservationWorld;
let steady: ReturnType<typeof gatewayOver>;
let siteId: string;

function gatewayOver(connection: RedisConnection) {
  const { records, dependencies } = world.over(connection);
  return {
    records,
    issue: (request: IssueCredentialRequest, caller: ParticipantCaller) => issueServiceCredential(dependencies, request, caller),
    revoke: (request: RevokeCredentialRequest, ofSiteId: string, caller: ParticipantCaller) =>
      revokeServiceCredential(dependencies, request, ofSiteId, caller),
  };
}

beforeEach(async () => {
  world = await openReservationWorld(redis, operator);
  steady = gatewayOver(world.connection);
  siteId = await world.putSite(4);
});

function requestFor(compartmentId = ""): IssueCredentialRequest {
  return create(IssueCredentialRequestSchema, { requestId: randomUUID(), siteId, compartmentId, act: Act.SERVICE, holderPublicKey });
}

async function issuedEvents(): Promise<number> {
  const [region = ""] = await steady.records.events.regions();
  const recorded = await steady.records.events.readAfter(region, "0-0", 1000);
  expect(recorded.every(({ event }) => event.type === EventType.CREDENTIAL_ISSUED && event.siteId === siteId)).toBe(true);
  return recorded.length;
}

it("a duplicate of an interrupted request gets the same credential, wherever the gateway dies, and it is recorded once", async () => {
  let before = 0;
  await atEveryDeath({ connection: world.connection, commandsMin: 3 }, async (dying) => {
    const request = requestFor();
    const hasDied = await dies(gatewayOver(dying).issue(request, operator));
    world.clock.advance(1000);
    const response = await steady.issue(request, operator);
    world.clock.advance(3_600_000);
    expect(await steady.issue(request, operator)).toEqual(response);
    expect(await issuedEvents()).toBe(before + 1);
    before += 1;
    return hasDied;
  });
});

it("concurrent duplicates get one credential", async () => {
  const request = requestFor("A7");
  const responses = await Promise.all(Array.from({ length: 8 }, () => steady.issue(request, operator)));
  expect(new Set(responses.map(({ accessToken }) => accessToken)).size).toBe(1);
  expect(await issuedEvents()).toBe(1);
});

it("a credential is not revoked although an equal one was issued and revoked in the same second", async () => {
  const revoked: string[] = [];
  for (let time = 0; time < 3; time++) {
    const { credentialHash } = await steady.issue(requestFor("A7"), operator);
    expect(revoked).not.toContain(credentialHash);
    const subject = { case: "siteId", value: siteId } as const;
    await steady.revoke(create(RevokeCredentialRequestSchema, { requestId: randomUUID(), subject, credentialHash }), siteId, operator);
    revoked.push(credentialHash);
  }
});
