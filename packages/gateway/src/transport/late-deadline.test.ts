import { expect, onTestFinished, test } from "vitest";
import { reasonInJson } from "./testing/raw-http.ts";
import { goodRequest, startTestGateway } from "./testing/test-gateway.ts";

/** In its own file, because Node warns only once in a process. */
test("a call whose handler starts to wait after its deadline is answered at once, and Node does not warn of a negative timeout", async () => {
  const warnings: string[] = [];
  const keep = ({ message }: Error) => void warnings.push(message);
  process.on("warning", keep);
  onTestFinished(() => void process.off("warning", keep));
  const { baseUrl } = await startTestGateway({
    onFindNearest() {
      for (const untilMs = performance.now() + 20; performance.now() < untilMs; );
      return new Promise(() => {});
    },
  });
  const response = await fetch(`${baseUrl}/petak.v1.DirectoryService/FindNearest`, {
    method: "POST",
    headers: { "content-type": "application/json", "connect-timeout-ms": "10" },
    body: JSON.stringify(goodRequest),
  });
  expect([reasonInJson(await response.text()), warnings]).toEqual(["DEADLINE_EXCEEDED", []]);
});
