import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { runInThisContext } from "node:vm";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { compile } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";

/** The frameworks whose pages are shown. */
export const frameworks = ["react", "vue", "svelte"] as const;
export type Framework = (typeof frameworks)[number];

/** What the pages take. */
export interface PageProps {
  readonly gateway: string;
  readonly publishableKey: string;
}

/** The page of a framework: as its server renders it, and the script that hydrates it. */
export interface FrameworkPage {
  renderPage(props: PageProps): Promise<string>;
  readonly script: string;
}

/** Where the pages' sources are. */
export const pagesDir = join(import.meta.dirname, "pages");

const isCustomElement = (tag: string): boolean => tag === "petak-picker";

/** Compiles the components of Vue and Svelte, for a server or a browser. */
const components = (side: "server" | "client"): Plugin => ({
  name: "components",
  setup({ onLoad }) {
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { js } = compile(await readFile(path, "utf8"), { generate: side, dev: true, filename: basename(path) });
      return { contents: js.code };
    });
    onLoad({ filter: /\.vue$/ }, async ({ path }) => {
      const { descriptor } = parse(await readFile(path, "utf8"), { filename: path, templateParseOptions: { isCustomElement } });
      const { content } = compileScript(descriptor, {
        id: "checkout",
        inlineTemplate: true,
        templateOptions: { ssr: side === "server", ssrCssVars: [], compilerOptions: { isCustomElement } },
      });
      return { contents: content };
    });
  },
});

/** Bundles a page in the frameworks' development builds: only these warn of what differs when a page is hydrated. */
export async function bundlePage(framework: Framework): Promise<FrameworkPage> {
  const bundleSide = async (side: "server" | "client", options: BuildOptions): Promise<string> => {
    const name = framework === "react" ? `${side}.jsx` : `${side}.js`;
    const { outputFiles } = await build({
      ...options,
      entryPoints: [join(pagesDir, framework, name)],
      plugins: [components(side)],
      jsx: "automatic",
      bundle: true,
      write: false,
      logLevel: "warning",
    });
    return outputFiles?.[0]?.text ?? "";
  };
  const script = await bundleSide("client", {
    format: "esm",
    platform: "browser",
    conditions: ["development", "svelte"],
    define: {
      "process.env.NODE_ENV": '"development"',
      __VUE_OPTIONS_API__: "true",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true",
    },
  });
  const server = await bundleSide("server", { format: "cjs", platform: "node", packages: "external" });
  const module: { exports: Partial<Pick<FrameworkPage, "renderPage">> } = { exports: {} };
  const run = runInThisContext(`(module, exports, require) => {${server}}`) as (...args: unknown[]) => void;
  run(module, module.exports, createRequire(import.meta.url));
  const { renderPage } = module.exports;
  if (renderPage === undefined) throw new Error(`The page of ${framework} exports no renderPage.`);
  return { renderPage, script };
}
