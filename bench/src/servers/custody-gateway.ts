/**
 * A gateway over the Redis at the socket it is given, for whole lives of parcels: `custody-gateway.ts <socket> <sites> <replicas>`. Each site has an
 * agent. Its first line says who may call, each with a token that is good for ten minutes.
 */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPetakClient, createRequestSigner, generateKeyPair, type PetakClient, type RequestSigner } from "@petak/client";
import { requestTokenMaxLifetimeMs, signRequestToken } from "@petak/credential";
import { createLogger, createMetrics, prepareServingProcess, startGateway } from "@petak/gateway";
import { Mode, newKeyId, newParticipantId, Role } from "@petak/protocol";
import { makeSite } from "@petak/testkit";
import { announce } from "./announce.ts";

prepareServingProcess();

const [socketPath = "", siteCount = "256", replicas = "0"] = process.argv.slice(2);
const audience = "petak-bench";
const dataDir = await mkdtemp(join(tmpdir(), "petak-bench-"));
const adminPair = await generateKeyPair();
const admin = { participantId: newParticipantId(), keyId: newKeyId("live"), publicKey: adminPair.publicKey };

const gateway = await startGateway({
  redis: { socketPath },
  dataDir,
  audience,
  host: "127.0.0.1",
  port: 0,
  shutdownGraceMs: 1000,
  holdDefaultMs: 900_000,
  holdMaxMs: 900_000,
  depositDefaultMs: 86_400_000,
  collectWithinMs: 259_200_000,
  storageMaxMs: 1_209_600_000,
  sweepIntervalMs: 1000,
  agentSyncIntervalMs: 30_000,
  admin,
  ...(Number(replicas) > 0 && {
    durability: {
      level: "replicated",
      check: "refuse",
      replication: { replicas: Number(replicas), on: "memory", withinMs: 1000 },
    } as const,
  }),
  logger: createLogger({ level: "warn" }),
  metrics: createMetrics(),
});
const baseUrl = `http://127.0.0.1:${gateway.address.port}`;
const clients: PetakClient[] = [];
const clientFor = (signer: RequestSigner) => {
  const client = createPetakClient({ baseUrl, signer });
  clients.push(client);
  return client;
};
const adminClient = clientFor(createRequestSigner({ ...admin, privateJwk: adminPair.privateJwk, audience }));

interface Key {
  participantId: string;
  keyId: string;
  privateJwk: Awaited<ReturnType<typeof generateKeyPair>>["privateJwk"];
}

async function newKey(by: PetakClient, participantId: string, siteId = ""): Promise<Key> {
  const { privateJwk, publicKey } = await generateKeyPair();
  const { key } = await by.participants.registerKey({ requestId: randomUUID(), participantId, publicKey, mode: Mode.TEST, siteId });
  if (key === undefined) throw new Error("no key was registered");
  return { participantId, keyId: key.keyId, privateJwk };
}

async function join_(displayName: string, role: Role): Promise<Key> {
  const { participant } = await adminClient.participants.createParticipant({ requestId: randomUUID(), displayName, roles: [role] });
  return await newKey(adminClient, participant?.participantId ?? "");
}

const authorizationOf = async (key: Key) =>
  `Bearer ${await signRequestToken({ ...key, audience, issuedAtMs: Date.now(), lifetimeMs: requestTokenMaxLifetimeMs })}`;

const operator = await join_("Operator", Role.OPERATOR);
const courier = await join_("Courier", Role.COURIER);
const operatorClient = clientFor(createRequestSigner({ ...operator, audience }));
const sites: { siteId: string; latitude: number; longitude: number; authorization: string; key: Key & { audience: string } }[] = [];
for (let from = 0; from < Number(siteCount); from += 64) {
  const places = Array.from({ length: Math.min(64, Number(siteCount) - from) }, (_, index) => ({
    latitude: 1.25 + Math.floor((from + index) / 16) * 0.01,
    longitude: 103.62 + ((from + index) % 16) * 0.02,
    ref: `bench-${from + index}`,
  }));
  const { results } = await operatorClient.directory.upsertSites({
    requestId: randomUUID(),
    sites: places.map((place) => makeSite({ ...place, classes: [["M", 400, 200, 500, 20_000, 1000]] })),
  });
  for (const [index, { siteId }] of results.entries()) {
    const { latitude, longitude } = places[index] as (typeof places)[number];
    const agent = await newKey(operatorClient, operator.participantId, siteId);
    sites.push({ siteId, latitude, longitude, authorization: await authorizationOf(agent), key: { ...agent, audience } });
  }
}
for (const client of clients) client.close();
announce({ port: gateway.address.port, courier: await authorizationOf(courier), courierKey: { ...courier, audience }, sites }, async () => {
  await gateway.stop();
  await rm(dataDir, { recursive: true });
});
