import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { freePort } from "./free-port.ts";

test("a free port can be listened on", async () => {
  const listener = createServer().listen(await freePort(), "127.0.0.1");
  await once(listener, "listening");
  expect(listener.listening).toBe(true);
  listener.close();
});
