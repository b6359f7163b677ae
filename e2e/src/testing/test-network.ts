import { join } from "node:path";
import { createRequestSigner, generateKeyPair } from "@petak/client";
import { createLogger, createMetrics, type Gateway, type GatewayOptions, parseNetworks, startGateway } from "@petak/gateway";
import { newKeyId, newParticipantId } from "@petak/protocol";
import type { RedisAddress } from "@petak/redis";
import { createTempDir } from "@petak/testkit";
import { createTestParticipants, type TestParticipants, testAudience } from "./test-participants.ts";

export { type TestParticipant, testAudience } from "./test-participants.ts";

/** The level of pino's error lines. */
const errorLevel = 50;

/** A gateway on a free port with an administrator, for one test file. */
export interface TestNetwork extends TestParticipants {
  gateway: Gateway;
  /** The gateway's log lines. */
  lines: string[];
  /** How many calls the gateway has in hand. */
  inFlight(): Promise<{ unary: number; stream: number }>;
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
    storageMaxMs: 1_209_600_000,
    sweepIntervalMs: 100,
    agentSyncIntervalMs: 200,
    // The receivers of these tests are on this machine, in the clear.
    webhooks: { allowedNetworks: parseNetworks("127.0.0.0/8") ?? [], allowHttp: true },
    admin: { participantId: adminId, keyId: adminKeyId, publicKey },
    logger: createLogger({ level: "info", destination: { write: keepLine } }),
    metrics,
    ...overrides,
  });
  const { now = Date.now } = overrides;
  const adminSigner = createRequestSigner({ participantId: adminId, keyId: adminKeyId, privateJwk, audience: testAudience, now });
  const participants = createTestParticipants(`http://127.0.0.1:${gateway.address.port}`, adminSigner, now);

  return {
    ...participants,
    gateway,
    lines,
    async inFlight() {
      const { values } = await metrics.rpcInFlight.get();
      const of = (wanted: string) => values.find(({ labels }) => labels.kind === wanted)?.value ?? 0;
      return { unary: of("unary"), stream: of("stream") };
    },
    async stop() {
      participants.closeClients();
      await gateway.stop();
      await directory.remove();
    },
  };
}
