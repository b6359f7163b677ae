import { execFile, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { createTempDir, processEnv } from "@petak/testkit";
import { beforeAll, describe, expect, test } from "vitest";
import { runPetak } from "../src/testing/run-petak.ts";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();

/** The scripts' files, by shell. */
const files: Record<string, string> = {};

beforeAll(async () => {
  const directory = await createTempDir();
  for (const shell of ["bash", "zsh"]) {
    const { exitCode, stdout } = await runPetak(["completion", shell]);
    expect(exitCode).toBe(0);
    files[shell] = join(directory.path, `petak.${shell}`);
    await writeFile(files[shell], stdout);
  }
  return directory.remove;
});

/** What bash offers for the last of some words. */
const offered = (...words: string[]) => offeredIn({}, ...words);

async function offeredIn(env: Record<string, string>, ...words: string[]): Promise<string[]> {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _petak; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const args = ["--norc", "--noprofile", "-c", script, "bash", files.bash ?? "", "petak", ...words];
  const { stdout } = await promisify(execFile)("bash", args, { env: processEnv(env) });
  return stdout.split("\n").filter(Boolean);
}

describe("in bash", () => {
  test("petak is completed, and files where it has nothing to offer", async () => {
    const { stdout } = await promisify(execFile)("bash", [
      "--norc",
      "--noprofile",
      "-c",
      'source "$1"; complete -p petak',
      "bash",
      files.bash ?? "",
    ]);
    expect(stdout).toBe("complete -o default -F _petak petak\n");
  });

  test.each([
    ["commands", ["re"], ["reserve", "redirect", "resolve", "reservation", "reservations", "replay", "report"]],
    ["subcommands", ["sites", "re"], ["resume", "retire"]],
    ["subcommands of subcommands", ["sites", "terms", ""], ["default", "set"]],
    [
      "options, also those of every command",
      ["sites", "list", "--"],
      [
        "--since",
        "--country",
        "--operator",
        "--url",
        "--key",
        "--tls-ca",
        "--tls-client-cert",
        "--tls-client-key",
        "--json",
        "--no-color",
        "--version",
      ],
    ],
    ["options of the subcommand that is meant if none is named", ["events", "--f"], ["--follow", "--from"]],
    ["after options with values, which are no commands", ["--key", "keys", "--json", "bundle", "m"], ["make"]],
    ["nothing for a value", ["events", "list", "--since", "so"], []],
    ["nothing for an argument", ["confirm", "res"], []],
  ])("it offers %s", async (_, words, expected) => {
    expect((await offered(...words)).toSorted()).toEqual(expected.toSorted());
  });
});

const zsh = ["/bin/zsh", "/usr/bin/zsh", "/usr/local/bin/zsh"].find(existsSync);

/** Types at a real zsh on a terminal, in which `petak` prints its arguments. Gives all that the terminal shows. */
async function typed(line: string, env: Record<string, string> = {}): Promise<string> {
  const setUp = `autoload -U compinit; compinit -u -D; petak() { print -r -- "called: $*" }; source ${files.zsh}`;
  const child = spawn("script", ["-qec", `${zsh} -f -i`, "/dev/null"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, TERM: "dumb", ...env },
  });
  child.stdin.end(`${setUp}\n${line}\nexit\n`);
  return await text(child.stdout);
}

describe.skipIf(zsh === undefined || !existsSync("/usr/bin/script"))("in zsh", () => {
  test.each([
    ["petak sites sh\t", "called: sites show"],
    ["petak --key keys bun\tma\t", "called: --key keys bundle make"],
    ["petak events correct --occ\t", "called: events correct --occurred-at"],
  ])("%j is completed", async (line, called) => {
    expect(await typed(line)).toContain(called);
  });
});

test("another shell is refused", async () => {
  const { exitCode, stderr } = await runPetak(["completion", "fish"]);
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining("Write bash or zsh.")]);
});

describe("ids", () => {
  let env: Record<string, string>;
  let operatorKey: string;
  let siteId: string;
  let reservationId: string;

  const reserve = async () => {
    const { reservations } = await gateway.clientOf(env.PETAK_KEY ?? "");
    const place = { case: "siteId", value: siteId } as const;
    const parcel = { widthMm: 100, heightMm: 100, depthMm: 100, massG: 500 };
    const { reservation } = await reservations.reserve({ requestId: randomUUID(), place, parcel, partnerReference: "order-1" });
    return reservation?.reservationId ?? "";
  };
  /** An environment with nothing kept. */
  const anew = () => ({ ...env, XDG_CACHE_HOME: join(gateway.folder, randomUUID()) });

  beforeAll(async () => {
    const programs = join(gateway.folder, "bin");
    await mkdir(programs);
    await symlink(join(import.meta.dirname, "../bin/petak.mjs"), join(programs, "petak"));
    env = {
      PATH: `${programs}:${process.env.PATH}`,
      PETAK_URL: gateway.url,
      PETAK_KEY: await gateway.makeParticipant("Courier", "courier"),
      XDG_CACHE_HOME: join(gateway.folder, "cache"),
    };
    operatorKey = await gateway.makeParticipant("Operator", "operator");
    siteId = await gateway.putSite(operatorKey, { ref: "old: 1" });
    reservationId = await reserve();
  });

  test("are offered in bash for arguments and options that take one", async () => {
    expect(await offeredIn(env, "reservation", "res_")).toEqual([reservationId]);
    expect(await offeredIn(env, "redirect", "res_1", "")).toEqual([siteId]);
    expect(await offeredIn(env, "sites", "check", "site_1", "--mass", "5", "site_2", "")).toEqual([siteId]);
    expect(await offeredIn(env, "reservations", "--site", "")).toEqual([siteId]);
    expect(await offeredIn(env, "credentials", "issue", "")).toEqual([reservationId, siteId]);
    expect(await offeredIn(env, "cancel", reservationId, "")).toEqual([]);
    expect(await offeredIn(env, "reservation", "site_")).toEqual([]);
  });

  test("are not asked for where the line has a key or an address of its own", async () => {
    expect(await offeredIn(env, "--key", "other.json", "reservation", "")).toEqual([]);
    expect(await offeredIn(env, "reservation", "--url", "http://127.0.0.1:9", "")).toEqual([]);
  });

  test.skipIf(zsh === undefined || !existsSync("/usr/bin/script"))("are offered in zsh", async () => {
    expect(await typed("petak reservation res\t", env)).toContain(`called: reservation ${reservationId}`);
    expect(await typed("petak reservations --site si\t", env)).toContain(`called: reservations --site ${siteId}`);
    expect(await typed("petak sites check site_1 si\t", env)).toContain(`called: sites check site_1 ${siteId}`);
  });

  test("of sites have their names in zsh, and an operator gets its own", async () => {
    const other = await gateway.makeParticipant("Other", "operator");
    const own = await gateway.putSite(other, { ref: "other's", latitude: 1.36 });
    for (const [key, expected] of [
      [operatorKey, `${siteId}  Test site old: 1\n`],
      [other, `${own}  Test site other's\n`],
    ] as const) {
      const { stdout } = await runPetak(["completion", "zsh", "--ids", "site"], { env: { ...anew(), PETAK_KEY: key } });
      expect(stdout).toBe(expected);
    }
  });

  test("are kept for ten seconds, for this user only", async () => {
    const kept = anew();
    let nowMs = Date.now();
    const ask = async () => {
      const { stdout } = await runPetak(["completion", "bash", "--ids", "res"], { env: kept, now: () => nowMs });
      return stdout.split("\n").flatMap((line) => line.split(" ")[0] || []);
    };
    const before = await ask();
    const added = await reserve();
    nowMs += 9_999;
    expect(await ask()).toEqual(before);
    nowMs += 1;
    expect((await ask()).toSorted()).toEqual([...before, added].toSorted());
    const folder = join(kept.XDG_CACHE_HOME, "petak");
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await stat(join(folder, "ids.json"))).mode & 0o777).toBe(0o600);
    expect(await readFile(join(folder, "ids.json"), "utf8")).not.toContain(env.PETAK_KEY);
  });

  test("that are none are not offered, even if they stand in the file of those kept", async () => {
    const kept = anew();
    const now = Date.now;
    await runPetak(["completion", "bash", "--ids", "res"], { env: kept, now });
    const path = join(kept.XDG_CACHE_HOME, "petak/ids.json");
    const text = await readFile(path, "utf8");
    await writeFile(path, text.replaceAll(reservationId, "res_$(>PWNED)"));
    expect((await runPetak(["completion", "bash", "--ids", "res"], { env: kept, now })).stdout).not.toContain("PWNED");
  });

  describe("of a petak that says anything", () => {
    const folderOf = async () => {
      const folder = join(gateway.folder, randomUUID());
      await mkdir(folder);
      const lines = ["$(>PWNED)", "`>PWNED`", ";>PWNED", "$HOME", "*", "res_1  %F{red}$(>PWNED)", "res_2"];
      await writeFile(join(folder, "lines"), `${lines.join("\n")}\n`);
      await writeFile(join(folder, "petak"), `#!/bin/sh\ncat '${join(folder, "lines")}'\n`, { mode: 0o755 });
      return folder;
    };

    test("are text for bash", async () => {
      const folder = await folderOf();
      const hostile = { PATH: `${folder}:${process.env.PATH}` };
      expect(await offeredIn(hostile, "reservation", "res_")).toEqual(["res_1", "res_2"]);
      expect(await offeredIn(hostile, "reservation", "*")).toEqual(["*"]);
      expect(await offeredIn(hostile, "reservation", "$")).toEqual(["$(>PWNED)", "$HOME"]);
      expect(existsSync("PWNED")).toBe(false);
    });

    test.skipIf(zsh === undefined || !existsSync("/usr/bin/script"))("are text for zsh", async () => {
      const folder = await folderOf();
      const shown = await typed(`cd ${folder}\npetak reservation res\t\t2\necho now $(ls)`, { PATH: `${folder}:${process.env.PATH}` });
      expect(shown).toContain("called: reservation res_2");
      expect(shown).toContain("now lines petak");
    });
  });

  test("are offered where they cannot be kept", async () => {
    const kept = anew();
    await mkdir(kept.XDG_CACHE_HOME);
    await writeFile(join(kept.XDG_CACHE_HOME, "petak"), "no folder");
    expect(await offeredIn(kept, "reservation", "")).toContain(reservationId);
  });

  test("are not offered, and nothing is said, if they cannot be had", async () => {
    // Takes connections and never answers.
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    await once(server, "listening");
    const silent = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const unreadable = join(gateway.folder, "no-key.json");
    await writeFile(unreadable, "{}");
    const wrongs: Record<string, string>[] = [
      { PETAK_URL: silent },
      { PETAK_URL: "no address" },
      { PETAK_KEY: unreadable },
      { PETAK_KEY: "pk_test_4c6qfd1mz0t8x2vh4c6qfd1mz0" },
      { PETAK_KEY: "" },
    ];
    for (const wrong of wrongs) {
      const run = await runPetak(["completion", "bash", "--ids", "res,site,bdl,whe,key"], { env: { ...anew(), ...wrong } });
      expect(run).toEqual({ exitCode: 0, stdout: "", stderr: "" });
    }
    server.close();
  });
});
