import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { usePickerBrowser } from "@petak/picker/testing/browser";
import { aljunied, type Market, startMarket } from "@petak/picker/testing/market";
import { keyFileOf } from "@petak/testkit/network";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { repositoryDir } from "../examples/courier-examples.ts";
import { createStranger, RegistryUnreachable, type Stranger } from "./stranger.ts";

/** The examples for web pages. */
const forPages = ["checkout.ts", "nearest.ts"];

let market: Market;
let stranger: Stranger;
let obstacle: string | undefined;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  // The stranger signs by the clock of this machine.
  market = await startMarket({ now: Date.now });
  try {
    stranger = await createStranger();
  } catch (error) {
    if (!(error instanceof RegistryUnreachable)) throw error;
    obstacle = error.message;
  }
});

beforeEach(({ skip }) => skip(obstacle !== undefined, obstacle));

afterAll(async () => {
  await market?.[Symbol.asyncDispose]();
  await stranger?.[Symbol.asyncDispose]();
});

/** With a reader's values in place of the README's. */
const filled = (text: string): string =>
  text.replaceAll("https://gateway.example", market.network.baseUrl).replaceAll("pk_live_…", market.publishableKey);

/** Opens a page of the shop that loads the stranger's scripts. */
async function openPage(body: string, scripts: ReadonlyMap<string, string>) {
  market.shop.answer = (request, response) => {
    const script = scripts.get(request.url?.replace(/^.*\//, "") ?? "");
    if (script === undefined) return false;
    response.writeHead(200, { "content-type": "text/javascript; charset=utf-8" }).end(script);
    return true;
  };
  return await browser.open(market.shop.page(body), { viewport: { width: 1040, height: 844 } });
}

describe("the packages, installed into an empty folder", () => {
  it("have an example in each README, whose types are right", async () => {
    expect([...stranger.examples.keys()].sort()).toEqual(["check.ts", "checkout.ts", "door.ts", "judge.ts", "nearest.ts", "reserve.ts"]);
    const typeRoots = [join(repositoryDir, "node_modules/@types")];
    const forNode = [...stranger.examples.keys()].filter((file) => !forPages.includes(file));
    await stranger.checkTypes(forNode, { types: ["node"], typeRoots });
  });

  it("have types for web pages without those of Node", async () => {
    await stranger.checkTypes(forPages, {
      lib: ["es2023", "dom", "dom.iterable"],
      types: [],
      module: "esnext",
      moduleResolution: "bundler",
    });
  });

  it("have no tests, no sources and nothing that is only for this repository", async () => {
    const { files, ...manifest } = JSON.parse(await readFile(join(stranger.dir, "node_modules/@petak/client/package.json"), "utf8")) as {
      files: string[];
      dependencies: Record<string, string>;
    };
    expect(files).toEqual(["dist", "NOTICE"]);
    expect(Object.keys(manifest)).not.toContain("devDependencies");
    const lock = JSON.parse(await readFile(join(stranger.dir, "package-lock.json"), "utf8")) as { packages: Record<string, unknown> };
    const installed = Object.keys(lock.packages).filter((path) => path !== "");
    expect(installed.filter((path) => /esbuild|lit|ioredis|testkit|vitest|@types/.test(path))).toEqual([]);
  });

  it("name in their READMEs every package that is to be installed with them", async () => {
    const dependenciesOf = async (name: string): Promise<string[]> => {
      const manifest = await readFile(join(stranger.dir, "node_modules", name, "package.json"), "utf8");
      const own = Object.keys((JSON.parse(manifest) as { dependencies: object }).dependencies).filter((one) => one.startsWith("@petak/"));
      return [...own, ...(await Promise.all(own.map(dependenciesOf))).flat()];
    };
    for (const name of stranger.packages) {
      const shown = await stranger.shown(name, "sh");
      const installed = [...shown.matchAll(/\.\/petak-(\w+)-\d/g)].map(([, one]) => `@petak/${one}`);
      expect(installed, name).toEqual(expect.arrayContaining([name, ...(await dependenciesOf(name))]));
    }
  });

  it("check messages, judge tokens and judge an implementation by the vectors", async () => {
    const [wellFormed = "", refused = ""] = (await stranger.run("check.ts")).split("\n");
    expect(JSON.parse(wellFormed)).toMatchObject({ origin: { latitude: 1.3521 } });
    expect(refused).toMatch(/^INVALID_FIELD origin\.latitude/);
    expect(await stranger.run("door.ts")).toBe("opens\nSITE\n");
    expect(await stranger.run("judge.ts")).toMatch(/^\d\d+ certificates are judged as they should be\n$/);
  });

  it("reserve a place by Node, with a key file", async () => {
    const keyFile = join(stranger.dir, "courier.json");
    await writeFile(keyFile, JSON.stringify(keyFileOf(market.merchant)), { mode: 0o600 });
    const said = await stranger.run("reserve.ts", { PETAK_URL: market.network.baseUrl, PETAK_KEY: keyFile });
    const [, reservationId = "", name = ""] = /^(res_\S+) (.+)\n$/.exec(said) ?? [];
    const { reservation } = await market.merchant.client.reservations.getReservation({ reservationId });
    expect(reservation).toMatchObject({ partnerReference: "parcel-4711", siteId: market.sites[name] });
  });

  it("search in a web page with a publishable key", async () => {
    await writeFile(join(stranger.dir, "nearest.ts"), filled(stranger.examples.get("nearest.ts") ?? ""));
    const scripts = await stranger.bundle("nearest.ts");
    const page = await openPage(`<script type="module" src="nearest.js"></script>`, scripts);
    await page.getByText(/MRT Aljunied, exit A: \d+ m/).waitFor();
  });

  it("let a server import the picker, which does nothing there", async () => {
    await writeFile(join(stranger.dir, "server.ts"), `import "@petak/picker";\nconsole.log("imported");\n`);
    expect(await stranger.run("server.ts")).toBe("imported\n");
  });

  it("show the picker in a checkout, with its languages and map as files of their own", async () => {
    const scripts = await stranger.bundle("checkout.ts", { splitting: true });
    expect(scripts.size).toBeGreaterThan(10);
    const html = filled(await stranger.shown("@petak/picker", "html"));
    expect(html).toContain(aljunied);
    const page = await openPage(html, scripts);
    await page.locator("canvas.map-canvas").waitFor();
    await page.getByText("MRT Aljunied, exit A").first().click();
    await page.getByRole("button", { name: "Collect here" }).click();
    await expect.poll(() => page.locator("#collect-at").textContent()).toBe("MRT Aljunied, exit A");
  });
});
