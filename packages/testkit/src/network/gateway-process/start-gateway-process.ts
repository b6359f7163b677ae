import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { processEnv } from "../../process-env.ts";
import type { Activity, GatewayProcessOptions, Measurement, Order, Reply } from "./gateway-messages.ts";

/** A gateway in its own process, which can be killed at any time. */
export interface GatewayProcess {
  readonly port: number;
  /** The address of its management listener. */
  readonly managementUrl: string;
  /** Tells what it is doing. Cheap enough to be polled. */
  look(): Promise<Activity>;
  /** Forces garbage collection, then measures. */
  measure(): Promise<Measurement>;
  /** How the process ended, e.g. `exit 1`; undefined while it runs. */
  ended(): string | undefined;
  /** Makes it stand still (SIGSTOP): its connections stay open, and nothing is answered. */
  pause(): void;
  /** Lets it go on. */
  resume(): void;
  /** Stops it gracefully. Idempotent. */
  stop(): Promise<void>;
  /** Kills it (SIGKILL), and resolves when it has exited. */
  kill(): Promise<void>;
}

/** Starts a gateway with an existing store, alone or beside others with the same store and `dataDir`. */
export async function startGatewayProcess({ hasShortStacks = false, ...options }: GatewayProcessOptions): Promise<GatewayProcess> {
  const child = fork(join(import.meta.dirname, "gateway-process.ts"), {
    execArgv: ["--expose-gc", ...(hasShortStacks ? ["--stack-trace-limit=1"] : [])],
    // Without the test runner's settings.
    env: processEnv(),
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  let ending: string | undefined;
  const exited = once(child, "exit").then(([code, signal]: (number | string | null)[]) => {
    ending = signal === null ? `exit ${code}` : String(signal);
  });

  async function ask<Kind extends Reply["kind"]>(order: Order): Promise<Extract<Reply, { kind: Kind }>> {
    const gone = () => new Error(`the gateway has ended: ${ending}`);
    if (ending !== undefined) throw gone();
    child.send(order);
    const ended = exited.then(() => Promise.reject(gone()));
    const [message] = (await Promise.race([once(child, "message"), ended])) as [Extract<Reply, { kind: Kind }>];
    return message;
  }

  const { port, managementUrl } = await ask<"started">({ kind: "start", options });
  return {
    port,
    managementUrl,
    look: async () => (await ask<"seen">({ kind: "look" })).activity,
    measure: async () => (await ask<"measured">({ kind: "measure" })).measurement,
    ended: () => ending,
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
    async stop() {
      if (ending !== undefined) return;
      child.kill("SIGCONT");
      child.send({ kind: "stop" } satisfies Order);
      await exited;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}
