import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { findRedisServer } from "@petak/redis/server";
import { freePort } from "@petak/testkit";

/** A Redis with settings of its own, which reaches no other machine. */
export interface RedisProcess {
  readonly server: ChildProcess;
  readonly port: number;
  /** Ends it at once, as a machine that dies. */
  kill(): Promise<void>;
}

/** Starts Redis at a free port. Another process may take the port before Redis does: then at another one. @param flags its settings, the port among them */
export async function startRedis(flags: (port: number) => readonly string[]): Promise<RedisProcess> {
  const { path } = await findRedisServer();
  let said = "";
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const port = await freePort();
    const server = spawn(path, ["--bind", "127.0.0.1", ...flags(port)], { stdio: ["ignore", "pipe", "inherit"] });
    const exited = once(server, "exit");
    const isReady = new Promise<boolean>((resolve) => {
      server.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes("Ready to accept connections")) resolve(true);
      });
    });
    if (!(await Promise.race([isReady, exited.then(() => false)]))) continue;
    const kill = async () => {
      server.kill("SIGKILL");
      await exited;
    };
    return { server, port, kill };
  }
  throw new Error(`Redis does not start:\n${said}`);
}
