import { randomUUID } from "node:crypto";
import { gzipSync } from "node:zlib";
import { create, type DescMethod, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import { generateKeyPair, reasonOf } from "@petak/client/node";
import { signRequestProof } from "@petak/credential";
import {
  Act,
  DirectoryService,
  fromConnectError,
  LiveReservations,
  Mode,
  ParticipantService,
  ReservationService,
  Role,
  TermsSchema,
  WebhookService,
} from "@petak/protocol";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { newRegistration, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { nowhereUrl } from "../testing/good-requests.ts";
import { inSideNetwork } from "../testing/side-network.ts";
import { authorizationOf, origin } from "../testing/world.ts";
import { createRawCaller, pathOf, type RawCaller } from "../wire/call.ts";
import { envelope } from "../wire/envelope.ts";
import { readFailure } from "../wire/failure.ts";
import { bodyOf, callEncodingOf, wireProtocols } from "../wire/protocols.ts";
import { proofOf } from "../wire/prove.ts";

const redis = useRedis();
const clock = createFrozenClock(Date.now());
let network: TestNetwork;
/** A second gateway over the same store, on which every call goes through the stock adapter. */
let stock: TestNetwork;
let raw: RawCaller;
let rawStock: RawCaller;
let operator: TestParticipant;
let siteId: string;

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now });
  const { dataDir } = network.shared;
  stock = await startTestNetwork({ redis, now: clock.now, dataDir, hasUnaryFastPath: false });
  [raw, rawStock] = [createRawCaller(network.port), createRawCaller(stock.port)];
  operator = await network.join("Operator", [Role.OPERATOR]);
  siteId = await network.putSite(operator, makeSite(origin));
});

afterAll(async () => {
  raw.close();
  rawStock.close();
  await stock.stop();
  await network.stop();
});

/** Calls of which each outlives a token. */
async function lastingCalls(): Promise<[method: DescMethod, message: object][]> {
  const { upsertSites, retireSites, setDefaultTerms } = DirectoryService.method;
  const { createParticipant, registerKey, revokeKey, createPublishableKey } = ParticipantService.method;
  const { createEndpoint, updateEndpoint, rotateEndpointKey, deleteEndpoint } = WebhookService.method;
  const { issueCredential, batch } = ReservationService.method;
  const endpointId = "whe_test_5wnr2c8k4q7z1m3x";
  const { publicKey: holderPublicKey } = await generateKeyPair();
  const service = { requestId: randomUUID(), act: Act.SERVICE, siteId, holderPublicKey };
  const terms = create(TermsSchema, { freeStorage: { seconds: 86_400n } });
  const withTerms = makeSite({ ...origin, ref: randomUUID() });
  await network.putSite(operator, { ...withTerms, terms });
  return [
    [createParticipant, { displayName: "Thief", roles: [Role.COURIER] }],
    [registerKey, (await newRegistration(operator.participantId)).request],
    [revokeKey, { keyId: operator.signer.keyId }],
    [createPublishableKey, { mode: Mode.TEST, origins: ["*"] }],
    [createEndpoint, { url: nowhereUrl }],
    [updateEndpoint, { endpointId, paused: true }],
    [rotateEndpointKey, { endpointId }],
    [deleteEndpoint, { endpointId }],
    [retireSites, { siteIds: [siteId] }],
    [setDefaultTerms, { terms }],
    [upsertSites, { sites: [{ ...makeSite(origin), terms }] }],
    [upsertSites, { sites: [makeSite({ ...origin, ref: randomUUID() })], liveReservations: LiveReservations.DRAIN }],
    // What is stored decides: the site's own terms would go, and the site would move by some 200 m.
    [upsertSites, { sites: [makeSite({ ...origin, ref: randomUUID() }), withTerms] }],
    [upsertSites, { sites: [makeSite({ ...origin, latitude: origin.latitude + 0.0018 })] }],
    [issueCredential, service],
    [issueCredential, { reservationId: "res_83652b_0000000000000000", act: Act.RECALL, holderPublicKey }],
    [batch, { calls: [{ call: { case: "issueCredential", value: service } }] }],
  ].map(([method, message]) => [
    method as DescMethod,
    { ...(method === batch ? {} : { requestId: randomUUID() }), ...(message as object) },
  ]);
}

describe("a captured request token", () => {
  it("does nothing that outlives it, over every protocol and on both paths", async () => {
    const authorization = await authorizationOf(operator);
    for (const [method, message] of await lastingCalls()) {
      for (const caller of [raw, rawStock]) {
        const reasons = await Promise.all(
          wireProtocols.map(async (protocol) => {
            const answer = await caller.call(protocol, method, message as MessageInitShape<typeof method.input>, {
              authorization,
              proof: null,
            });
            return readFailure(answer)?.reason;
          }),
        );
        expect([method.name, ...reasons]).toEqual([method.name, ...wireProtocols.map(() => "PROOF_REQUIRED")]);
      }
    }
    expect((await operator.client.directory.getSite({ siteId })).site?.siteId).toBe(siteId);
  });

  it("still puts sites without terms, and moves them by less than 100 m in all", async () => {
    const authorization = await authorizationOf(operator);
    const { upsertSites } = DirectoryService.method;
    const ref = randomUUID();
    for (const latitude of [origin.latitude, origin.latitude + 0.0008]) {
      const message = { requestId: randomUUID(), sites: [makeSite({ ...origin, latitude, ref })] };
      for (const caller of [raw, rawStock]) {
        expect(readFailure(await caller.call("connect", upsertSites, message, { authorization, proof: null }))).toBeUndefined();
      }
    }
    const further = { requestId: randomUUID(), sites: [makeSite({ ...origin, latitude: origin.latitude + 0.0016, ref })] };
    const refused = readFailure(await raw.call("connect", upsertSites, further, { authorization, proof: null }));
    expect(refused?.reason).toBe("PROOF_REQUIRED");
  });
});

describe("a proof", () => {
  const { createEndpoint } = WebhookService.method;
  const path = pathOf(createEndpoint);

  it("is signed by the client for the calls that need it, over every protocol and on both paths", async () => {
    for (const gateway of [network, stock]) {
      for (const protocol of wireProtocols) {
        const { webhooks, reservations } = network.clientFor(operator.signer, { protocol, baseUrl: gateway.baseUrl });
        // Text outside ASCII: the bytes that are signed must be those that are sent.
        const { endpoint } = await webhooks.createEndpoint({ requestId: randomUUID(), url: nowhereUrl, label: `Größe 大小 ${protocol}` });
        expect(endpoint?.label).toBe(`Größe 大小 ${protocol}`);
        await webhooks.deleteEndpoint({ requestId: randomUUID(), endpointId: endpoint?.endpointId ?? "" });
        const { publicKey: holderPublicKey } = await generateKeyPair();
        const issued = { requestId: randomUUID(), act: Act.SERVICE, siteId, holderPublicKey };
        expect((await reservations.issueCredential(issued)).accessToken).not.toBe("");
      }
    }
  });

  it("covers the message before its compression", async () => {
    const authorization = await authorizationOf(operator);
    for (const protocol of wireProtocols) {
      const callEncoding = callEncodingOf(protocol, false);
      const text = JSON.stringify({ requestId: randomUUID(), url: nowhereUrl });
      const init = { requestId: randomUUID(), url: nowhereUrl };
      const message = callEncoding.isJson ? Buffer.from(text) : toBinary(createEndpoint.input, create(createEndpoint.input, init));
      const body = callEncoding.isFramed ? envelope(gzipSync(message), 1) : gzipSync(message);
      const headers = { [callEncoding.encodingHeader]: "gzip" };
      const { dpop = "" } = await proofOf({ authorization, path, message, isJson: callEncoding.isJson });
      expect(readFailure(await raw.call(protocol, createEndpoint, {}, { authorization, headers, body, proof: dpop }))).toBeUndefined();
      const { dpop: ofPacked = "" } = await proofOf({ authorization, path, message: gzipSync(message), isJson: callEncoding.isJson });
      const refused = readFailure(await raw.call(protocol, createEndpoint, {}, { authorization, headers, body, proof: ofPacked }));
      expect(refused?.reason).toBe("PROOF_INVALID");
    }
  });

  it("is good for one call with exactly this content, at any gateway of the store", async () => {
    const authorization = await authorizationOf(operator);
    for (const protocol of wireProtocols) {
      const { isJson } = callEncodingOf(protocol, false);
      const init = { requestId: randomUUID(), url: nowhereUrl };
      const message = isJson ? Buffer.from(JSON.stringify(init)) : toBinary(createEndpoint.input, create(createEndpoint.input, init));
      const { dpop: proof = "" } = await proofOf({ authorization, path, message, isJson });
      const body = bodyOf(callEncodingOf(protocol, false), message);
      const call = (caller: RawCaller) => caller.call(protocol, createEndpoint, {}, { authorization, body, proof });
      // Other content, under the same request id.
      const other = await raw.call(protocol, createEndpoint, { ...init, label: "thief" }, { authorization, proof });
      expect(readFailure(other)).toMatchObject({ reason: "PROOF_INVALID", metadata: { claim: "message_sha256" } });
      expect(readFailure(await call(rawStock))).toBeUndefined();
      expect(readFailure(await call(raw))?.reason).toBe("PROOF_REPLAYED");
      expect(readFailure(await call(rawStock))?.reason).toBe("PROOF_REPLAYED");
    }
  });

  it("ends 60 s after it was signed, while its token is still good", async () => {
    const authorization = await authorizationOf(operator);
    const init = { requestId: randomUUID(), url: nowhereUrl };
    const message = Buffer.from(JSON.stringify(init));
    const { privateJwk: privateKey, keyId } = operator.key;
    const requestToken = authorization.replace("Bearer ", "");
    const sign = (issuedAtMs: number) =>
      signRequestProof({ privateKey, keyId, url: `https://x${path}`, requestToken, message, requestId: init.requestId, issuedAtMs });
    const reasonAt = async (issuedAtMs: number) => {
      const answer = await raw.call("connect-json", createEndpoint, {}, { authorization, body: message, proof: await sign(issuedAtMs) });
      return readFailure(answer)?.metadata.claim;
    };
    expect(await reasonAt(clock.now() - 60_000)).toBe("iat");
    expect(await reasonAt(clock.now() + 31_000)).toBe("iat");
    expect(await reasonAt(clock.now() - 58_000)).toBeUndefined();
  });

  it("is refused at every gateway as soon as its key is revoked at one", async () => {
    const courier = await network.join("Courier", [Role.COURIER]);
    const { webhooks, participants } = network.clientFor(courier.signer, { baseUrl: stock.baseUrl });
    // The second gateway remembers the key.
    await participants.getParticipant({});
    await network.admin.client.participants.revokeKey({ requestId: randomUUID(), keyId: courier.signer.keyId });
    const error = await webhooks.createEndpoint({ requestId: randomUUID(), url: nowhereUrl }).catch((thrown: unknown) => thrown);
    expect(reasonOf(error)).toBe("KEY_REVOKED");
  });

  it("is not looked at for a call that needs none", async () => {
    const authorization = await authorizationOf(operator);
    const answer = await raw.call("connect", DirectoryService.method.getSite, { siteId }, { authorization, proof: "nonsense" });
    expect(readFailure(answer)).toBeUndefined();
  });

  it("comes with each call of a client that may need one by what is stored, and counts if it is good", async () => {
    const { upsertSites } = DirectoryService.method;
    const { directory } = operator.client;
    const ref = randomUUID();
    const terms = create(TermsSchema, { freeStorage: { seconds: 86_400n } });
    const far = makeSite({ ...origin, latitude: origin.latitude + 0.0018, ref });
    for (const site of [{ ...makeSite({ ...origin, ref }), terms }, far])
      await directory.upsertSites({ requestId: randomUUID(), sites: [site] });
    const { results } = await directory.upsertSites({ requestId: randomUUID(), sites: [far], validateOnly: true });
    const { site } = await directory.getSite({ siteId: results[0]?.siteId ?? "" });
    expect([site?.position, site?.terms]).toMatchObject([far.position, undefined]);
    const authorization = await authorizationOf(operator);
    const message = { requestId: randomUUID(), sites: [far] };
    const answer = await raw.call("connect", upsertSites, message, { authorization, proof: "a.b.c" });
    expect(readFailure(answer)?.reason).toBe("PROOF_INVALID");
  });

  it("may be signed by the system's clock where the network has a test clock", () =>
    inSideNetwork(redis, { testClock: true, now: Date.now }, async ({ network: { admin } }) => {
      const { participant } = await admin.client.participants.createParticipant({
        requestId: randomUUID(),
        displayName: "A",
        roles: [Role.COURIER],
      });
      expect(participant?.displayName).toBe("A");
    }));
});

describe("a new key", () => {
  it("is registered only if its private half signed for this owner, network, site and request", async () => {
    const { participants } = operator.client;
    const rival = await network.join("Rival", [Role.OPERATOR]);
    const { request } = await newRegistration(operator.participantId, { siteId });
    const claimFor = async (changes: object) => {
      const error = await participants.registerKey({ ...request, ...changes }).catch((thrown: unknown) => thrown);
      expect(reasonOf(error)).toBe("KEY_POSSESSION_UNPROVEN");
      return fromConnectError(error as ConnectError)?.metadata.claim;
    };
    expect(await claimFor({ possessionProof: "" })).toBe("form");
    expect(await claimFor({ requestId: randomUUID() })).toBe("request_id");
    expect(await claimFor({ siteId: "" })).toBe("site_id");
    expect(await claimFor({ publicKey: (await generateKeyPair()).publicKey })).toBe("signature");
    expect(
      await claimFor({
        possessionProof: (await newRegistration(rival.participantId, { siteId, requestId: request.requestId })).request.possessionProof,
      }),
    ).toBe("sub");
    const foreign = await newRegistration(operator.participantId, { siteId, requestId: request.requestId, audience: "another" });
    expect(await claimFor({ possessionProof: foreign.request.possessionProof })).toBe("aud");
    const { key } = await participants.registerKey(request);
    expect(key?.siteId).toBe(siteId);
    // A repetition gives the same key.
    expect((await participants.registerKey(request)).key?.keyId).toBe(key?.keyId);
  });
});
