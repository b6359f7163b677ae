import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { RedisAddress } from "@petak/allocator";
import {
  createPetakClient,
  createRequestSigner,
  generateKeyPair,
  type PetakClient,
  type PetakClientOptions,
  type RequestSigner,
} from "@petak/client";
import { createLogger, createMetrics, type Gateway, type GatewayOptions, startGateway } from "@petak/gateway";
import { Mode, newKeyId, newParticipantId, type Role } from "@petak/protocol";
import { createTempDir } from "@petak/testkit";

/** The `aud` of the test network's gateways. */
export const testAudience = "petak-test";

/** The level of pino's error lines. */
const errorLevel = 50;

/** A participant that can make calls. */
export interface TestParticipant {
  participantId: string;
  signer: RequestSigner;
  client: PetakClient;
}

/** A gateway on a free port with an administrator, for one test file. */
export interface TestNetwork {
  baseUrl: string;
  gateway: Gateway;
  admin: TestParticipant;
  /** The gateway's log lines. */
  lines: string[];
  /** Makes a participant with a key of its own. */
  join(name: string, roles: Role[], mode?: Mode, options?: Partial<PetakClientOptions>): Promise<TestParticipant>;
  /** The same participant with a key of another mode. */
  withMode(participant: TestParticipant, mode: Mode): Promise<TestParticipant>;
  /** How many calls the gateway has in hand. */
  inFlight(): Promise<{ unary: number; stream: number }>;
  /** Registers a key of an agent of a site, as its operator. */
  agentSigner(operator: TestParticipant, siteId: string): Promise<RequestSigner>;
  /** Another client for a participant, e.g. over another protocol. */
  clientFor(signer: RequestSigner, options?: Partial<PetakClientOptions>): PetakClient;
  stop(): Promise<void>;
}

/** Starts a gateway over a server that runs already. */
export async function startTestNetwork(
  redis: RedisAddress,
  keyPrefix: string,
  overrides: Partial<GatewayOptions> = {},
): Promise<TestNetwork> {
  const directory = await createTempDir();
  const lines: string[] = [];
  const keepLine = (line: string) => {
    lines.push(line);
    // A defect is of interest whatever the test makes of it.
    if ((JSON.parse(line) as { level: number }).level >= errorLevel) process.stderr.write(line);
  };
  const { privateJwk, publicKey } = await generateKeyPair();
  const adminId = newParticipantId();
  const adminKeyId = newKeyId("live");
  const metrics = createMetrics({ processMetrics: false });
  const gateway = await startGateway({
    redis,
    keyPrefix,
    dataDir: join(directory.path, "data"),
    audience: testAudience,
    host: "127.0.0.1",
    port: 0,
    shutdownGraceMs: 5000,
    holdDefaultMs: 900_000,
    holdMaxMs: 86_400_000,
    depositDefaultMs: 86_400_000,
    collectWithinMs: 259_200_000,
    sweepIntervalMs: 100,
    agentSyncIntervalMs: 200,
    admin: { participantId: adminId, keyId: adminKeyId, publicKey },
    logger: createLogger({ level: "info", destination: { write: keepLine } }),
    metrics,
    ...overrides,
  });
  const baseUrl = `http://127.0.0.1:${gateway.address.port}`;
  const clients: PetakClient[] = [];
  const clientFor = (signer: RequestSigner, options: Partial<PetakClientOptions> = {}) => {
    const client = createPetakClient({ baseUrl, signer, ...options });
    clients.push(client);
    return client;
  };
  const adminSigner = createRequestSigner({ participantId: adminId, keyId: adminKeyId, privateJwk, audience: testAudience });
  const admin: TestParticipant = { participantId: adminId, signer: adminSigner, client: clientFor(adminSigner) };

  async function withKey(participantId: string, mode: Mode, options: Partial<PetakClientOptions>): Promise<TestParticipant> {
    const pair = await generateKeyPair();
    const { key } = await admin.client.participants.registerKey({
      requestId: randomUUID(),
      participantId,
      publicKey: pair.publicKey,
      mode,
    });
    const keyId = key?.keyId ?? "";
    const signer = createRequestSigner({ participantId, keyId, privateJwk: pair.privateJwk, audience: testAudience });
    return { participantId, signer, client: clientFor(signer, options) };
  }

  return {
    baseUrl,
    gateway,
    admin,
    lines,
    clientFor,
    async join(name, roles, mode = Mode.TEST, options = {}) {
      const { participant } = await admin.client.participants.createParticipant({ requestId: randomUUID(), displayName: name, roles });
      return await withKey(participant?.participantId ?? "", mode, options);
    },
    withMode: ({ participantId }, mode) => withKey(participantId, mode, {}),
    async inFlight() {
      const { values } = await metrics.rpcInFlight.get();
      const of = (wanted: string) => values.find(({ labels }) => labels.kind === wanted)?.value ?? 0;
      return { unary: of("unary"), stream: of("stream") };
    },
    async agentSigner(operator, siteId) {
      const pair = await generateKeyPair();
      const { key } = await operator.client.participants.registerKey({
        requestId: randomUUID(),
        publicKey: pair.publicKey,
        mode: operator.signer.mode === "live" ? Mode.LIVE : Mode.TEST,
        siteId,
      });
      return createRequestSigner({
        participantId: operator.participantId,
        keyId: key?.keyId ?? "",
        privateJwk: pair.privateJwk,
        audience: testAudience,
      });
    },
    async stop() {
      for (const client of clients) client.close();
      await gateway.stop();
      await directory.remove();
    },
  };
}
