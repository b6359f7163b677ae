import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Mode, Role } from "@petak/protocol";
import { createTempDir, makeSite, processEnv } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { repositoryDir } from "../examples/courier-examples.ts";

let network: TestNetwork;
let merchant: TestParticipant;
let siteId: string;
let keyFile: string;
let publishableKey: string;

beforeAll(async () => {
  // The program has this machine's clock.
  network = await startTestNetwork({ now: Date.now });
  const operator = await network.join("Kotak", [Role.OPERATOR]);
  merchant = await network.join("Shop", [Role.MERCHANT]);
  siteId = await network.putSite(operator, makeSite({ latitude: 1.3531, longitude: 103.8198 }));
  const temp = await createTempDir();
  keyFile = join(temp.path, "shop.json");
  await writeFile(keyFile, JSON.stringify(keyFileOf(merchant)));
  const made = await merchant.client.participants.createPublishableKey({ requestId: randomUUID(), origins: ["*"], mode: Mode.TEST });
  publishableKey = made.publishableKey?.publishableKey ?? "";
  return async () => {
    await temp.remove();
    await network.stop();
  };
});

/** Starts the program. */
function open(...args: readonly string[]) {
  const all = [join(repositoryDir, "examples/shop/main.ts"), "--gateway", network.baseUrl, "--port", "0", ...args];
  const child = spawn(process.execPath, all, { env: processEnv({ HOME: process.env.HOME ?? "" }) });
  onTestFinished(() => void child.kill("SIGKILL"));
  let complaints = "";
  child.stderr.setEncoding("utf8").on("data", (piece: string) => {
    complaints += piece;
  });
  return { child, lines: createInterface({ input: child.stdout }), exited: once(child, "close"), complaints: () => complaints };
}

test.each(["SIGINT", "SIGTERM"] as const)("the shop opens at a gateway of one's own, takes an order, and ends by %s", async (signal) => {
  const { child, lines, exited, complaints } = open("--key", keyFile, "--publishable-key", publishableKey);
  const [line] = (await once(lines, "line")) as [string];
  const [, url = ""] = /^The shop is open at (http:\/\/127\.0\.0\.1:\d+)$/.exec(line) ?? [];
  const checkout = await (await fetch(`${url}/checkout?product=teapot`)).text();
  expect(checkout).toContain(`publishable-key="${publishableKey}"`);
  const picker = await fetch(`${url}/picker/petak-picker.js`);
  expect([picker.status, picker.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
  const form = { form: randomUUID(), product: "teapot", near: "Singapore", buyer: "Mei", place: siteId };
  const ordered = await fetch(`${url}/orders`, { method: "POST", body: new URLSearchParams(form) });
  expect(await ordered.text()).toContain("<h1>Pay to keep your place</h1>");
  const { reservations } = await merchant.client.reservations.listReservations({});
  expect(reservations.map((reservation) => reservation.siteId)).toContain(siteId);
  child.kill(signal);
  expect(await exited).toEqual([0, null]);
  expect(complaints()).toBe("");
});

test.each([
  [() => ["--key", keyFile], "The shop does not open: --publishable-key is '': it must be a key that `petak keys publishable` made\n"],
  [() => ["--key", "/nowhere/shop.json", "--publishable-key", publishableKey], /^The shop does not open: .*\/nowhere\/shop\.json/],
  [
    () => ["--key", keyFile, "--publishable-key", publishableKey, "--port", new URL(network.baseUrl).port],
    /^The shop does not open: .*EADDRINUSE/,
  ],
  [() => ["--keys", keyFile], /^The shop does not open: Unknown option '--keys'/],
])("what is wrong with its command line is a sentence", async (args, sentence) => {
  const { exited, complaints } = open(...args());
  expect(await exited).toEqual([1, null]);
  if (typeof sentence === "string") expect(complaints()).toBe(sentence);
  else expect(complaints()).toMatch(sentence);
});
