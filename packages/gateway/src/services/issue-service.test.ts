import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { createAllocator, type RedisConnection } from "@petak/allocator";
import { generateKeyPair } from "@petak/credential";
import { Act, EventType, type IssueCredentialRequest, IssueCredentialRequestSchema, Role } from "@petak/protocol";
import { Crash, createFrozenClock, dyingAt, type FrozenClock, makeSite, tempDir, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { ParticipantCaller } from "../identity/index.ts";
import { type GatewaySecrets, loadGatewaySecrets } from "../secrets/gateway-secrets.ts";
import { createCredentialIssuer } from "./credential-issuer.ts";
import { createIssueService } from "./issue-service.ts";

const redis = useRedis();
const { publicKey: holderPublicKey } = await generateKeyPair();
const operator: ParticipantCaller = {
  kind: "participant",
  participantId: "par_0000000000000001",
  roles: [Role.OPERATOR],
  mode: "test",
  keyId: "key_test_0000000000000001",
};

let connection: RedisConnection;
let clock: FrozenClock;
let secrets: GatewaySecrets;
let steady: ReturnType<typeof gatewayOver>;
let siteId: string;

function gatewayOver(redisConnection: RedisConnection) {
  const allocator = createAllocator({ redis: redisConnection, prefix: `${redis.keyPrefix}petak` });
  return { allocator, issue: createIssueService({ allocator, credentials: createCredentialIssuer(secrets), now: clock.now }) };
}

beforeEach(async () => {
  clock = createFrozenClock(1_800_000_000_000);
  secrets = await loadGatewaySecrets(join(await tempDir(), "secrets.json"), clock.now);
  connection = await redis.connect();
  // Each gateway of a test listens to it.
  connection.setMaxListeners(0);
  steady = gatewayOver(connection);
  siteId = (await steady.allocator.sites.put(makeSite({ latitude: 1.3, longitude: 103.8 }), 0)).siteId;
});
afterEach(() => connection.disconnect());

function requestFor(compartmentId = ""): IssueCredentialRequest {
  return create(IssueCredentialRequestSchema, { requestId: randomUUID(), siteId, compartmentId, act: Act.SERVICE, holderPublicKey });
}

async function issuedEvents(): Promise<number> {
  const [region = ""] = await steady.allocator.events.regions();
  const logged = await steady.allocator.events.readAfter(region, "0-0", 1000);
  expect(logged.every(({ event }) => event.type === EventType.CREDENTIAL_ISSUED && event.siteId === siteId)).toBe(true);
  return logged.length;
}

async function dies(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (error instanceof Crash) return true;
    throw error;
  }
}

it("gives a request that was cut short the same credential, at whichever command the gateway dies, and records it once", async () => {
  let atCommand = 0;
  let before = 0;
  for (let hasDied = true; hasDied; ) {
    atCommand += 1;
    for (const isDone of [false, true]) {
      const request = requestFor();
      const mortal = gatewayOver(dyingAt(connection, { atCommand, isDone }).connection);
      hasDied = await dies(mortal.issue(request, operator));
      clock.advance(1000);
      const response = await steady.issue(request, operator);
      clock.advance(3_600_000);
      expect(await steady.issue(request, operator)).toEqual(response);
      expect(await issuedEvents()).toBe(before + 1);
      before += 1;
    }
  }
  // It would say nothing if there were hardly anything to die at.
  expect(atCommand).toBeGreaterThan(3);
});

it("gives twins one credential", async () => {
  const request = requestFor("A7");
  const answers = await Promise.all(Array.from({ length: 8 }, () => steady.issue(request, operator)));
  expect(new Set(answers.map(({ accessToken }) => accessToken)).size).toBe(1);
  expect(await issuedEvents()).toBe(1);
});
