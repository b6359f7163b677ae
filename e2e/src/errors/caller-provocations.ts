import { randomUUID } from "node:crypto";
import { generateKeyPair } from "@petak/client/node";
import type { Ed25519PrivateJwk } from "@petak/credential";
import { DirectoryService, Mode, newKeyId, type Reason, Role } from "@petak/protocol";
import { createFrozenClock } from "@petak/testkit";
import { newRegistration, testAudience } from "@petak/testkit/network";
import { expect } from "vitest";
import { inSideNetwork } from "../testing/side-network.ts";
import { authorizationOf, origin, parcel } from "../testing/world.ts";
import { readFailure } from "../wire/failure.ts";
import type { RawAnswer } from "../wire/raw-answer.ts";
import type { Provocation, Scene } from "./provocation.ts";
import { signWrongly, type TokenParts } from "./wrong-token.ts";

const { findNearest } = DirectoryService.method;

/** Calls FindNearest with an Authorization header. */
function callWith({ world, protocol }: Scene, authorization?: string): Promise<RawAnswer> {
  return world.raw.call(protocol, findNearest, { origin, parcel }, authorization === undefined ? {} : { authorization });
}

/** Registers another key for the courier. */
async function newKey({ world }: Scene): Promise<{ keyId: string; privateJwk: Ed25519PrivateJwk }> {
  const { privateJwk, request } = await newRegistration(world.courier.participantId);
  const { key } = await world.courier.client.participants.registerKey(request);
  return { keyId: key?.keyId ?? "", privateJwk };
}

/** Calls with a courier's token that is wrong in one way. */
async function callWithToken(scene: Scene, wrong: Partial<TokenParts>): Promise<RawAnswer> {
  const { participantId } = scene.world.courier;
  const right = { ...(await newKey(scene)), participantId, audience: testAudience, issuedAtS: Math.floor(Date.now() / 1000) };
  return await callWith(scene, await signWrongly({ ...right, ...wrong }));
}

const isoTime = () => expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) as unknown;
const someKeyId = () => ({ key_id: expect.stringMatching(/^key_test_[0-9a-z]{16}$/) as unknown });
const inThePast = { issuedAtS: Math.floor(Date.now() / 1000) - 61 };
const inTheFuture = { issuedAtS: Math.floor(Date.now() / 1000) + 3600 };

/** Provocations of the reasons about the caller. */
export const callerProvocations = {
  CREDENTIALS_MISSING: { provoke: (scene) => callWith(scene) },
  CREDENTIALS_MALFORMED: { provoke: (scene) => callWith(scene, "Bearer a.b.c") },
  TOKEN_ALGORITHM_WRONG: {
    provoke: (scene) => callWithToken(scene, { header: { alg: "none" } }),
    metadata: () => ({ expected: "EdDSA" }),
  },
  TOKEN_TYPE_WRONG: {
    provoke: (scene) => callWithToken(scene, { header: { typ: "JWT" } }),
    metadata: () => ({ expected: "petak-request+jwt" }),
  },
  TOKEN_AUDIENCE_WRONG: {
    provoke: (scene) => callWithToken(scene, { audience: "another" }),
    metadata: () => ({ expected: testAudience }),
  },
  TOKEN_EXPIRED: {
    provoke: (scene) => callWithToken(scene, inThePast),
    metadata: () => ({ server_time: isoTime() }),
  },
  TOKEN_REPLAYED_AFTER_EXPIRY: {
    provoke: ({ redis, protocol }) => {
      const clock = createFrozenClock(Date.now());
      return inSideNetwork(redis, { now: clock.now }, async ({ network, raw }) => {
        const authorization = await authorizationOf(await network.join("Courier", [Role.COURIER]));
        const replay = () => raw.call(protocol, findNearest, { origin, parcel }, { authorization });
        expect(readFailure(await replay())).toBeUndefined();
        clock.advance(3_600_000);
        return await replay();
      });
    },
  },
  TOKEN_NOT_YET_VALID: {
    provoke: (scene) => callWithToken(scene, inTheFuture),
    metadata: () => ({ server_time: isoTime() }),
  },
  TOKEN_LIFETIME_TOO_LONG: {
    provoke: (scene) => callWithToken(scene, { claims: { exp: Math.floor(Date.now() / 1000) + 3600 } }),
    metadata: () => ({ limit_seconds: "600" }),
  },
  TOKEN_SIGNATURE_WRONG: {
    provoke: async (scene) => await callWithToken(scene, { privateJwk: (await generateKeyPair()).privateJwk }),
    metadata: someKeyId,
  },
  TOKEN_CLAIMS_INVALID: {
    provoke: (scene) => callWithToken(scene, { claims: { iss: undefined } }),
    metadata: () => ({ claim: "iss" }),
  },
  KEY_UNKNOWN: {
    provoke: (scene) => callWithToken(scene, { keyId: newKeyId("test") }),
    metadata: someKeyId,
  },
  KEY_REVOKED: {
    provoke: async (scene) => {
      const key = await newKey(scene);
      await scene.world.courier.client.participants.revokeKey({ requestId: randomUUID(), keyId: key.keyId });
      return await callWithToken(scene, key);
    },
    metadata: someKeyId,
  },
  KEY_ISSUER_MISMATCH: {
    provoke: (scene) => callWithToken(scene, { participantId: scene.world.stranger.participantId }),
    metadata: someKeyId,
  },
  RATE_LIMITED: {
    provoke: ({ redis, protocol }) =>
      // The clock is frozen, so the second request falls into the same second on any machine.
      inSideNetwork(redis, { now: createFrozenClock(Date.now()).now }, async ({ network, raw }) => {
        const { publishableKey } = await network.admin.client.participants.createPublishableKey({
          requestId: randomUUID(),
          mode: Mode.TEST,
          origins: ["*"],
          requestsPerSecond: 1,
        });
        const authorization = `Bearer ${publishableKey?.publishableKey}`;
        const again = () => raw.call(protocol, findNearest, { origin, parcel }, { authorization });
        expect(readFailure(await again())).toBeUndefined();
        const refused = await again();
        expect(readFailure(refused)?.retryAfterMs).toBe(1000);
        return refused;
      }),
    metadata: () => ({ requests_per_second: "1" }),
  },
} satisfies Partial<Record<Reason, Provocation>>;
