/** The gateway itself over the Redis at the socket it is given, with a city of sites. Says an Authorization header in its first line. */
import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createPetakClient, createRequestSigner, generateKeyPair } from "@petak/client";
import { requestTokenMaxLifetimeMs, signRequestToken } from "@petak/credential";
import { createLogger, createMetrics, prepareServingProcess, startGateway } from "@petak/gateway";
import { Mode, newKeyId, newParticipantId, Role } from "@petak/protocol";
import { createAllocator } from "@petak/records";
import { connectRedis } from "@petak/redis";
import { createRandom, makeSite } from "@petak/testkit";
import { announce } from "./announce.ts";

prepareServingProcess();

const [socketPath = "", siteCount = "10000"] = process.argv.slice(2);
const audience = "petak-bench";
const dataDir = await mkdtemp(join(tmpdir(), "petak-bench-"));
const { privateJwk, publicKey } = await generateKeyPair();
const admin = { participantId: newParticipantId(), keyId: newKeyId("live"), publicKey };

const redis = connectRedis({ socketPath }, { onError: (error) => process.stderr.write(`${error.message}\n`) });
await redis.connect();
const allocator = createAllocator({ redis });
const random = createRandom(1);
for (let from = 0; from < Number(siteCount); from += 100) {
  const batch = Array.from({ length: Math.min(100, Number(siteCount) - from) }, (_, index) =>
    makeSite({
      latitude: random.float(1.24, 1.46),
      longitude: random.float(103.61, 104.03),
      ref: `bench-${from + index}`,
      // So many that no run of Reserve fills the city.
      classes: [["M", 400, 200, 500, 20_000, 500]],
    }),
  );
  await Promise.all(batch.map((site) => allocator.sites.put(site, 0)));
}
redis.disconnect();

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
  logger: createLogger({ level: "warn" }),
  metrics: createMetrics(),
});
const signer = createRequestSigner({ ...admin, privateJwk, audience });
const client = createPetakClient({ baseUrl: `http://127.0.0.1:${gateway.address.port}`, signer });
const { participant } = await client.participants.createParticipant({
  requestId: randomUUID(),
  displayName: "Bench",
  roles: [Role.COURIER],
});
const participantId = participant?.participantId ?? "";
const pair = await generateKeyPair();
const { key } = await client.participants.registerKey({
  requestId: randomUUID(),
  participantId,
  publicKey: pair.publicKey,
  mode: Mode.TEST,
});
if (key === undefined) throw new Error("no key was registered");
// One token for the whole run: the load generators send what they are given.
const token = await signRequestToken({
  participantId,
  keyId: key.keyId,
  privateJwk: pair.privateJwk,
  audience,
  issuedAtMs: Date.now(),
  lifetimeMs: requestTokenMaxLifetimeMs,
});
const authorization = `Bearer ${token}`;
client.close();
announce({ port: gateway.address.port, authorization }, async () => {
  await gateway.stop();
  await rm(dataDir, { recursive: true });
});
