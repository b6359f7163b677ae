import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { runPetak } from "@petak/cli/testing/run-petak";
import { tempDir } from "@petak/testkit";
import { expect, test } from "vitest";

/** Runs `petak start` until it has greeted, and uses the shop whose address it printed. */
async function start<Value>(port: number, use: (shopUrl: string, gatewayUrl: string) => Promise<Value>) {
  const interruption = new AbortController();
  let used: Promise<Value> | undefined;
  let gatewayUrl = "";
  const result = await runPetak(["start", "--port", String(port), "--demo-sites", "300"], {
    cwd: await tempDir(),
    interruption: interruption.signal,
    onPrint(text) {
      const url = /A shop, .*: (http:\S+)/.exec(text)?.[1];
      gatewayUrl ||= /running at (http:\S+)/.exec(text)?.[1] ?? "";
      if (url !== undefined) used = use(url, gatewayUrl);
      const end = () => interruption.abort(new Error("Interrupted."));
      if (text.includes("Stop with Ctrl-C")) Promise.resolve(used).then(end, end);
    },
  });
  return { ...result, used: await used };
}

/** Buys in Singapore at the nearest place of the shop's list, and has the parcel brought and collected. Returns the headings of the pages. */
async function buy(shopUrl: string): Promise<string[]> {
  const headings: string[] = [];
  const open = async (path: string, fields?: Record<string, string>) => {
    const response = await fetch(`${shopUrl}${path}`, fields && { method: "POST", body: new URLSearchParams(fields) });
    const text = await response.text();
    headings.push(/<h1>([^<]*)/.exec(text)?.[1] ?? text);
    return { text, path: new URL(response.url).pathname };
  };
  const list = await open("/checkout?product=lamp&near=Singapore&list=1");
  const place = /name="place" required value="([^"]+)"/.exec(list.text)?.[1] ?? "";
  const order = await open("/orders", { form: randomUUID(), product: "lamp", buyer: "Mei", place });
  for (const act of ["pay", "deposit", "collect"]) await open(`${order.path}/${act}`, {});
  await expect.poll(async () => (await open(order.path)).text).toContain("<h1>Collected</h1>");
  return headings;
}

test("petak start opens a shop beside the gateway, where a parcel is bought, brought and collected", async () => {
  const { exitCode, used: headings = [], stderr } = await start(0, buy);
  expect([exitCode, [...new Set(headings)]]).toEqual([0, ["Checkout", "Pay to keep your place", "Sent", "Ready to collect", "Collected"]]);
  expect(stderr).not.toContain("shop");
});

test("the gateway's front page links to the shop and to the store's counter", async () => {
  const { used: [shopUrl, page] = [], stdout } = await start(0, async (url, gatewayUrl) => {
    return [url, await (await fetch(gatewayUrl, { headers: { accept: "text/html" } })).text()] as const;
  });
  const counterUrl = /open in a browser: (\S+), with/.exec(stdout)?.[1];
  expect(page).toContain(`<a href="${shopUrl}">A shop</a>`);
  expect(page).toContain(`<a href="${counterUrl}">A store&#39;s counter</a>`);
  expect(page).toContain("its operators, sites and parcels are made up");
});

test("where the shop's port is taken, petak start says so and goes on", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const { port } = other.address() as AddressInfo;
  const { exitCode, stdout, stderr, used } = await start(port - 2, async () => "open");
  other.close();
  expect([exitCode, used]).toEqual([0, undefined]);
  expect(stdout).toContain("npx petak journey");
  expect(stderr).toContain(`The demonstration shop does not run: 127.0.0.1:${port} is in use by another program.`);
});
