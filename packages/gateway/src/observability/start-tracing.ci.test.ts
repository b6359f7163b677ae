import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/** Imports a module in a process of its own and returns which packages of OpenTelemetry were resolved meanwhile. */
async function otelOf(module: URL, then = ""): Promise<string[]> {
  const script = `
    import { registerHooks } from "node:module";
    const seen = new Set();
    registerHooks({
      resolve(specifier, context, next) {
        if (specifier.startsWith("@opentelemetry/")) seen.add(specifier);
        return next(specifier, context);
      },
    });
    const loaded = await import(${JSON.stringify(module)});
    ${then}
    process.stdout.write(JSON.stringify([...seen]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return JSON.parse(stdout) as string[];
}

test("a gateway does not load OpenTelemetry's SDK before it traces", async () => {
  const gateway = new URL("../index.ts", import.meta.url);
  // The library of the metrics has the API, which is small and does nothing by itself.
  expect((await otelOf(gateway)).filter((name) => name !== "@opentelemetry/api")).toEqual([]);
  const start = `await loaded.startTracing({ endpoint: "http://127.0.0.1:9", samplePercent: 0, onLost() {} }).then((tracing) => tracing.stop());`;
  expect(await otelOf(new URL("./start-tracing.ts", import.meta.url), start)).toContain("@opentelemetry/sdk-trace");
});
