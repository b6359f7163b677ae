import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { treeCpuSeconds } from "./process-cpu.ts";

/** Works until it has used 0.3 s of processor time, in a child of the process that is started. */
const busy = "const used=()=>{const{user,system}=process.cpuUsage();return user+system};while(used()<300_000);";

test.runIf(process.platform === "linux")(
  "processor time of child processes is counted while they run and after they have exited",
  async () => {
    const script = `require("child_process").spawnSync(process.execPath,["-e",${JSON.stringify(busy)}]);process.stdin.resume();console.log("worked")`;
    const parent = spawn(process.execPath, ["-e", script], { stdio: ["pipe", "pipe", "inherit"] });
    await once(parent.stdout, "data");
    const seconds = treeCpuSeconds(parent.pid ?? 0);
    expect(seconds).toBeGreaterThanOrEqual(0.3);
    expect(treeCpuSeconds(process.pid)).toBeGreaterThanOrEqual(seconds);
    const ended = once(parent, "exit");
    parent.stdin.end();
    await ended;
  },
);
