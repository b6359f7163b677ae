import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createRequestSigner, generateKeyPair } from "@petak/client";
import { newKeyId, newParticipantId } from "@petak/protocol";
import { createTempDir } from "@petak/testkit";
import { createTestParticipants, type TestParticipants, testAudience } from "../testing/test-participants.ts";
import type { GatewayProcessOptions, Measurement, Order, Reply } from "./gateway-messages.ts";

/** A gateway in a process of its own. */
export interface GatewayProcess {
  port: number;
  participants: TestParticipants;
  /** Collects what is dead and tells what is left. */
  measure(): Promise<Measurement>;
  /** How the process has ended, e.g. `exit 1`; undefined while it runs. */
  ended(): string | undefined;
  stop(): Promise<void>;
}

/** Starts one over a Redis server that runs already. */
export async function startGatewayProcess(
  socketPath: string,
  keyPrefix: string,
  limits: Pick<GatewayProcessOptions, "callLimits" | "serverLimits">,
): Promise<GatewayProcess> {
  const directory = await createTempDir();
  const { privateJwk, publicKey } = await generateKeyPair();
  const admin = { participantId: newParticipantId(), keyId: newKeyId("live") };
  const child = fork(join(import.meta.dirname, "gateway-process.ts"), {
    // Refusals by the ten thousand need no more of a stack than the line that made them; with all of it they take a fifth longer.
    execArgv: ["--expose-gc", "--stack-trace-limit=1"],
    // The runner's own settings are not meant for it.
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let ending: string | undefined;
  const exited = once(child, "exit").then(([code, signal]: (number | string | null)[]) => {
    ending = signal === null ? `exit ${code}` : String(signal);
  });

  async function ask<Kind extends Reply["kind"]>(order: Order): Promise<Extract<Reply, { kind: Kind }>> {
    if (ending !== undefined) throw new Error(`the gateway has ended: ${ending}`);
    child.send(order);
    const gone = exited.then(() => {
      throw new Error(`the gateway has ended: ${ending}`);
    });
    const [message] = (await Promise.race([once(child, "message"), gone])) as [Extract<Reply, { kind: Kind }>];
    return message;
  }

  const { port } = await ask<"started">({
    kind: "start",
    options: {
      redis: { socketPath },
      keyPrefix,
      dataDir: join(directory.path, "data"),
      audience: testAudience,
      admin: { ...admin, publicKey: Buffer.from(publicKey).toString("base64url") },
      ...limits,
    },
  });
  const participants = createTestParticipants(
    `http://127.0.0.1:${port}`,
    createRequestSigner({ ...admin, privateJwk, audience: testAudience }),
  );
  return {
    port,
    participants,
    measure: async () => (await ask<"measured">({ kind: "measure" })).measurement,
    ended: () => ending,
    async stop() {
      participants.closeClients();
      if (ending === undefined) {
        child.send({ kind: "stop" } satisfies Order);
        await exited;
      }
      await directory.remove();
    },
  };
}
