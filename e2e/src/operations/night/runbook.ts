import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { processEnv } from "@petak/testkit";

const page = await readFile(join(import.meta.dirname, "../../../../docs/runbook.md"), "utf8");

/** What stands for the names that the runbook uses. */
export interface RunbookNames {
  /** URL of the management listener. */
  management: string;
  /** The file with the gateway's log. */
  log: string;
  /** The socket of Redis. */
  redisSocket: string;
  /** Texts of the page that stand for an address or a path of the reader. */
  places: Readonly<Record<string, string>>;
}

/** The block of shell commands below `**Check:**` or `**Command:**` in the section that an alert's `runbook_url` names. */
export function blockOf(runbookUrl: string, part: "Check" | "Command"): string {
  const anchor = runbookUrl.split("#").at(-1) ?? "";
  const section = page.split(/^### /m).find((text) => text.split("\n", 1)[0]?.toLowerCase() === anchor);
  const [, block] = new RegExp(`^\\*\\*${part}:\\*\\*[^]*?\`\`\`sh\\n([^]*?)\`\`\``, "m").exec(section ?? "") ?? [];
  if (block === undefined) throw new Error(`${runbookUrl} has no ${part}`);
  return block;
}

/**
 * Runs a block as printed, in bash, as a reader without Compose. Returns all that it prints. What does not end by itself is ended after 5 s, as by Ctrl-C.
 */
export async function runBlock(block: string, { management, log, redisSocket, places }: RunbookNames, cwd: string): Promise<string> {
  const names = [
    `M=${management}`,
    `LOG=${log}`,
    `redis-cli() { command redis-cli -s ${redisSocket} "$@"; }`,
    `rcli() { timeout -s INT 5 redis-cli -s ${redisSocket} "$@"; }`,
    // The reader has no Compose, and what starts a gateway is known to the test.
    "docker() { :; }",
    "npx() { :; }",
  ];
  const commands = Object.entries(places).reduce((text, [name, value]) => text.replaceAll(name, value), block);
  return await new Promise((resolve) => {
    const env = processEnv({ HOME: cwd });
    // Whether a command succeeds is no matter: what one finds nothing of, another one may show.
    execFile("bash", ["-c", [...names, commands].join("\n")], { cwd, env, timeout: 60_000 }, (_error, stdout, stderr) =>
      resolve(stdout + stderr),
    );
  });
}
