import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { usePickerBrowser } from "@petak/picker/testing/browser";
import { type Market, startMarket } from "@petak/picker/testing/market";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCodeBlocks } from "../examples/code-blocks.ts";
import { repositoryDir } from "../examples/courier-examples.ts";
import { bundlePage, type Framework, frameworks, pagesDir } from "./bundle-page.ts";

const exitA = "MRT Aljunied, exit A";
const kedai = "Kedai Rahmat, Geylang East";
const components: Readonly<Record<Framework, string>> = { react: "checkout.jsx", vue: "checkout.vue", svelte: "checkout.svelte" };
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

afterAll(() => market[Symbol.asyncDispose]());

/** Opens a page as a framework's server renders it. Its script is there, and not loaded yet. */
async function openPage(framework: Framework): Promise<Page> {
  const { renderPage, script } = await bundlePage(framework);
  market.shop.answer = (request, response) => {
    if (request.url !== "/late.js") return false;
    response.writeHead(200, { "content-type": "text/javascript; charset=utf-8" }).end(script);
    return true;
  };
  const props = { gateway: market.network.baseUrl, publishableKey: market.publishableKey };
  const html = await renderPage(props);
  return await browser.open(
    market.shop.page(`<div id="app" data-gateway="${props.gateway}" data-publishable-key="${props.publishableKey}">${html}</div>
      <script type="module" src="/picker/petak-picker.js"></script>`),
  );
}

async function choose(page: Page, name: string): Promise<void> {
  await page.getByRole("radio", { name }).check();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
}

const placesOf = (page: Page): Promise<unknown[]> =>
  page.evaluate(() => new FormData(document.querySelector("form") ?? undefined).getAll("place"));

test.each(frameworks)(
  "a page of %s that is hydrated after the choice loses nothing, and shows the picker again and again",
  async (framework) => {
    const page = await openPage(framework);
    await choose(page, exitA);
    await page.getByText("Chosen: nothing").waitFor();
    const before = await page.evaluateHandle(() => document.querySelector("petak-picker"));
    await page.addScriptTag({ url: "/late.js", type: "module" });
    await page.getByText(`Chosen: ${exitA}`).waitFor();
    expect(await before.evaluate((picker) => picker === document.querySelector("petak-picker"))).toBe(true);
    await page.getByRole("button", { name: "Change" }).click();
    await page.getByText("S$1.50").first().waitFor();
    await choose(page, kedai);
    await page.getByText(`Chosen: ${kedai}`).waitFor();
    for (let turn = 0; turn < 2; turn++) {
      await page.getByRole("button", { name: "To the payment" }).click();
      await page.locator("petak-picker").waitFor({ state: "detached" });
      expect(await placesOf(page)).toEqual([]);
      await page.getByRole("button", { name: "Back to the delivery" }).click();
      await page.getByText("You collect at").waitFor();
      expect(await placesOf(page)).toEqual([market.sites[kedai]]);
    }
    await page.getByRole("button", { name: "Change" }).click();
    await page.getByText("S$1.50").first().waitFor();
    await choose(page, exitA);
    await page.getByText(`Chosen: ${exitA}`).waitFor();
    await page.getByRole("button", { name: "Order" }).click();
    await page.getByText("Ordered").waitFor();
    expect(new URL(page.url()).searchParams.get("place")).toBe(market.sites[exitA]);
  },
);

test.each(frameworks)("the guide shows the page of %s as it is here", async (framework) => {
  const source = await readFile(join(pagesDir, framework, components[framework]), "utf8");
  const blocks = await readCodeBlocks(join(repositoryDir, "docs/guides/picker.md"));
  expect(blocks.map(({ code }) => code.trim())).toContain(source.trim());
});
