import { access, mkdir, readFile, stat, symlink } from "node:fs/promises";
import { join } from "node:path";
import { type RunPetakOptions, runPetak } from "@petak/cli/testing/run-petak";
import { createTempDir, type TempDir } from "@petak/testkit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { repositoryDir } from "../examples/courier-examples.ts";
import { runPetak as runProcess, type StartedPetak, startPetak } from "../testing/petak-process.ts";

const startArgs = ["start", "--port", "0", "--demo-sites", "120"];
let folder: TempDir;
let started: StartedPetak;
let url: string;

beforeAll(async () => {
  folder = await createTempDir();
  started = await startPetak(folder.path, startArgs, /Stop with Ctrl-C/);
  url = /running at (\S+)/.exec(started.said())?.[1] ?? "";
});
afterAll(async () => {
  await started.interrupt();
  await folder.remove();
});

/** Runs `petak` in the folder, but in this process: one needs a second to load its code. */
const petak = (argv: readonly string[], options?: RunPetakOptions) => runPetak(argv, { cwd: folder.path, ...options });

describe("petak start", () => {
  it("prints its address, a key for trial use, and three commands to paste", () => {
    const said = started.said();
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect(said).toMatch(/pk_test_[0-9a-z]{24}/);
    expect(said).toContain(`curl ${url}/petak.v1.DirectoryService/FindNearest`);
    expect(said).toContain("npx petak find");
    expect(said).toContain("npx petak journey");
  });

  it("names its sandbox, and pages to read that are there", async () => {
    const [, list = ""] = /A sandbox, .*: npx petak (sandbox sites .*) \(/.exec(started.said()) ?? [];
    expect((await petak(list.split(" "))).stdout).toContain("sandbox-plain");
    const pages = [...started.said().matchAll(/\b(?:docs\/\S+|README)\.md\b/g)].map(([page]) => page);
    expect(pages).toHaveLength(4);
    for (const page of pages) await access(join(repositoryDir, page));
  });

  it("is ready when the demonstration is", async () => {
    const ready = await fetch(`${url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: "ready", checks: { demonstration: "ok" } }]);
  });

  it("opens a store, and prints the address of its counter and a PIN", async () => {
    const [, counter = "", pin = ""] = /open in a browser: (\S+), with the PIN (\d{6})/.exec(started.said()) ?? [];
    expect(pin).toHaveLength(6);
    expect(await (await fetch(counter)).text()).toContain("<html");
  });

  it("answers server reflection, and prints where its metrics are", async () => {
    const [, metricsUrl = ""] = /Metrics: (http:\/\/127\.0\.0\.1:\d+\/metrics)\./.exec(started.said()) ?? [];
    expect(await (await fetch(metricsUrl)).text()).toMatch(/^petak_redis_up 1$/m);
    const reflection = `${url}/grpc.reflection.v1.ServerReflection/ServerReflectionInfo`;
    const answer = await fetch(reflection, { method: "POST", headers: { "content-type": "application/connect+json" } });
    // It is there, and wants HTTP/2; without it the path would be unknown.
    expect(answer.status).toBe(505);
  });

  it("publishes its made-up sites as open data, and says so with the licence", async () => {
    const [, feed = ""] = /\(made up; cities by GeoNames; CC BY 4\.0\): (\S+)/.exec(started.said()) ?? [];
    const { data } = (await (await fetch(feed)).json()) as { data: object };
    expect(data).toMatchObject({ is_test: true, licence: { id: "CC-BY-4.0" }, publisher: expect.stringContaining("GeoNames") });
    const sites = (await (await fetch(new URL("sites.json", feed))).json()) as { data: { sites: unknown[] } };
    expect(sites.data.sites).toHaveLength(120);
  });

  it("keeps its keys and data in files that only its user can read", async () => {
    for (const path of [".petak/keys/admin.json", ".petak/keys/courier.json", ".petak/gateway-secrets.json", ".petak/gateway.log"]) {
      expect((await stat(join(folder.path, path))).mode & 0o077, path).toBe(0);
    }
    expect(await readFile(join(folder.path, ".petak/gateway.log"), "utf8")).not.toContain("eyJ");
  });

  it("says in one sentence that its folder or its port is in use", async () => {
    const sameFolder = await petak(startArgs);
    expect(sameFolder).toMatchObject({ exitCode: 1, stdout: "" });
    expect(sameFolder.stderr).toMatch(/^petak: The data directory .* is in use .*\n$/);
    const other = await createTempDir();
    const samePort = await petak(["start", "--port", new URL(url).port], { cwd: other.path });
    await other.remove();
    expect(samePort).toMatchObject({ exitCode: 1, stdout: "" });
    expect(samePort.stderr).toMatch(/^petak: 127\.0\.0\.1:\d+ is in use by another program: .* --port\.\n$/);
  });

  it("names the key in another data directory, and continues without its log if it cannot write that, and says so once", async () => {
    const other = await createTempDir();
    await mkdir(join(other.path, "elsewhere"));
    await symlink("/dev/full", join(other.path, "elsewhere/gateway.log"));
    const interruption = new AbortController();
    const unlogged = await petak(["start", "--port", "0", "--demo-sites", "0", "--data-dir", "elsewhere"], {
      cwd: other.path,
      interruption: interruption.signal,
      onPrint: (text) => {
        if (text.includes("Stop with Ctrl-C")) interruption.abort(new Error("Interrupted."));
      },
    });
    await other.remove();
    expect(unlogged.exitCode).toBe(0);
    expect(unlogged.stdout).toMatch(/npx petak journey .*--key elsewhere\/keys\/courier\.json$/m);
    expect(unlogged.stderr.match(/cannot be written \(ENOSPC: .*\); nothing more is logged\./g)).toHaveLength(1);
  });

  it("refuses unknown and invalid settings by name", async () => {
    const result = await petak(["start", "--port", "99999"], { env: { PETAK_PROT: "1" } });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("PETAK_PROT is not a setting. Did you mean PETAK_PORT?");
    expect(result.stderr).toContain("port must be 0 to 65535");
  });
});

describe("petak journey", () => {
  it("walks one parcel through its life and shows each step and the custody chain", async () => {
    const result = await runProcess(folder.path, ["journey", "--url", url]);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const steps = ["options found", "Place held", "Confirmed", "issued: deposit", "issued: collect", "opened for deposit"];
    for (const step of [...steps, "Deposited", "opened for collect", "Collected", "The custody chain"])
      expect(result.stdout).toContain(step);
    expect(result.stdout).toMatch(/PARCEL_COLLECTED +AGENT +COLLECTED +ACCESS_TOKEN, report 6/);
    expect(result.stdout).not.toContain("\u001b[");
  });

  it("prints the same as JSON, and also opens by PIN", async () => {
    const result = await petak(["journey", "--url", url, "--pin", "--json"]);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const steps = JSON.parse(result.stdout) as { step: string; by?: string; events?: { type: string }[] }[];
    expect(steps.map(({ step }) => step)).toEqual([
      "options found",
      "place held",
      "confirmed",
      "credential issued",
      "credential issued",
      "terminal ready",
      "door opened",
      "deposited",
      "door opened",
      "collected",
      "custody chain",
    ]);
    expect(steps[8]?.by).toBe("PIN");
    expect(steps.at(-1)?.events?.at(-1)?.type).toBe("EVENT_TYPE_PARCEL_COLLECTED");
  });

  it("collects several parcels in one visit, one door after the other", async () => {
    const result = await petak(["journey", "--url", url, "--parcels", "3"]);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    expect(result.stdout).toContain("Bundled: 3 parcels, one collection");
    const opened = [...result.stdout.matchAll(/Door (\S+) opened for collect/g)].map(([, door]) => door);
    expect(new Set(opened).size).toBe(3);
    expect(result.stdout.match(/the gateway says COLLECTED/g)).toHaveLength(3);
    expect((await petak(["journey", "--url", url, "--parcels", "21"])).exitCode).toBe(2);
  });

  it("holds a door by its name, and the parcel is deposited there", async () => {
    const result = await petak(["journey", "--url", url, "--hard"]);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const [, door] = /size class \S+, door (\S+), /.exec(result.stdout) ?? [];
    expect(result.stdout).toContain(`Door ${door} opened for deposit`);
  });

  it("takes back a parcel that nobody collected, after a technician has opened its door", async () => {
    const result = await petak(["journey", "--url", url, "--recall", "--service"]);
    expect(result).toMatchObject({ exitCode: 0, stderr: "" });
    const steps = ["Deposited", "issued: service", "opened for service", "with the parcel inside", "issued: recall"];
    for (const step of [...steps, "opened for recall, by access token and proof of presence", "Taken back"])
      expect(result.stdout).toContain(step);
    expect(result.stdout).toMatch(/SERVICE_DOOR_OPENED +AGENT +DEPOSITED +BOUND_ACCESS_TOKEN, report 4/);
    expect(result.stdout).toMatch(/PARCEL_RECALLED +AGENT +RECALLED +BOUND_ACCESS_TOKEN, report 8/);
    expect(result.stdout).not.toContain("COLLECTED");
  });

  it("says how to start a gateway if none answers", async () => {
    const result = await petak(["journey", "--url", "http://127.0.0.1:9"]);
    expect(result).toMatchObject({ exitCode: 3, stdout: "" });
    expect(result.stderr).toBe(
      "petak: No gateway answers at http://127.0.0.1:9. Start one with `npm start`, or check --url and PETAK_URL.\n",
    );
  });
});

describe("petak start, a second time", () => {
  it("exits cleanly and finds its data again", async () => {
    const find = async (at: string) => (await petak(["find", "1.3521,103.8198", "--any-country", "--url", at, "--json"])).stdout;
    const before = JSON.parse(await find(url)) as { options: { site: { siteId: string } }[] };
    expect(await started.interrupt()).toBe(0);
    expect(started.noted()).toMatch(/Stopping …\nStopped\. The data is in \/.*\/\.petak\.\n$/);
    started = await startPetak(folder.path, startArgs, /Stop with Ctrl-C/);
    url = /running at (\S+)/.exec(started.said())?.[1] ?? "";
    expect(started.noted()).not.toContain("Placing");
    expect(started.said()).toMatch(/open in a browser: \S+, with the PIN \d{6}/);
    const after = JSON.parse(await find(url)) as typeof before;
    expect(after.options.map(({ site }) => site.siteId)).toEqual(before.options.map(({ site }) => site.siteId));
    expect(after.options.length).toBe(5);
  });
});
