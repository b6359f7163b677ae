import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { GatewayProcessOptions, Measurement, Order, Reply } from "../../fuzz/gateway-messages.ts";

/** A gateway in a process of its own, which may be killed at any instant. */
export interface MortalGateway {
  port: number;
  /** Collects what is dead and tells what is left. */
  measure(): Promise<Measurement>;
  /** Kills it as a machine would that loses its power (SIGKILL), and resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts one beside others over the same Redis server: `dataDir` has the secrets that they share. */
export async function startMortalGateway(options: GatewayProcessOptions): Promise<MortalGateway> {
  const child = fork(join(import.meta.dirname, "../../fuzz/gateway-process.ts"), {
    // The runner's own settings are not meant for it.
    execArgv: ["--expose-gc"],
    env: { PATH: process.env.PATH },
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const gone = once(child, "exit");
  child.send({ kind: "start", options } satisfies Order);
  const ended = gone.then(() => {
    throw new Error("a gateway ended before it had begun");
  });
  const [{ port }] = (await Promise.race([once(child, "message"), ended])) as [Extract<Reply, { kind: "started" }>];
  ended.catch(() => {});
  return {
    port,
    async measure() {
      child.send({ kind: "measure" } satisfies Order);
      const [{ measurement }] = (await once(child, "message")) as [Extract<Reply, { kind: "measured" }>];
      return measurement;
    },
    async kill() {
      child.kill("SIGKILL");
      await gone;
    },
  };
}
