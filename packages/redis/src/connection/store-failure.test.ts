import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { tempDir } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { connectRedis } from "./connect-redis.ts";
import { isStoreFailure } from "./store-failure.ts";

/** All error messages in the client's source; template literals are cut at their first quote. */
function messagesOfClient(): string[] {
  const built = dirname(createRequire(import.meta.url).resolve("ioredis"));
  return ["Redis.js", "Pipeline.js", "Command.js", "cluster/index.js", "redis/event_handler.js"].flatMap((file) =>
    [...readFileSync(join(built, file), "utf8").matchAll(/(?:Error|RedisError|AbortError)\((["'`])(.+?)\1/g)].map(
      (match) => match[2] ?? "",
    ),
  );
}

/** Messages that only a defect in our own code causes: wrong client options or wrong use. */
const ofUs = [
  /^Redis is already connecting/,
  /^Invalid (role|option|argument)/,
  /^`startupNodes`/,
  /^The "resp3"/,
  /^Connection in subscriber mode/,
  /^No (sharded )?subscriber for/,
  /^Possible CROSSSLOT error/,
  /^Connection is in monitoring mode/,
];

describe("isStoreFailure", () => {
  it("recognises every error message of the client that is not a defect of ours", () => {
    const messages = messagesOfClient();
    expect(messages).toContain("All keys in the pipeline should belong to the same slots allocation group");
    const unknown = messages.filter((message) => !isStoreFailure(new Error(message)) && !ofUs.some((pattern) => pattern.test(message)));
    expect(unknown).toEqual([]);
  });

  it("tells socket errors from file errors: a missing socket is an unreachable server, a missing file is not", async () => {
    const path = join(await tempDir(), "missing");
    const errors: Error[] = [];
    const redis = connectRedis({ socketPath: path }, { onError: (error) => void errors.push(error) });
    await redis.connect().catch((error: Error) => errors.push(error));
    redis.disconnect();
    expect(errors.map(({ message }) => message)).toEqual([`connect ENOENT ${path}`, "Connection is closed."]);
    expect(errors.map(isStoreFailure)).toEqual([true, true]);
    const ofFile = await readFile(path).catch((error: unknown) => error);
    expect(ofFile).toMatchObject({ code: "ENOENT" });
    expect(isStoreFailure(ofFile)).toBe(false);
    // Node's message when the network disk of an archive is unavailable.
    expect(isStoreFailure(new Error("ETIMEDOUT: connection timed out, read"))).toBe(false);
    expect(isStoreFailure(new Error("connect ETIMEDOUT 10.0.0.1:6379"))).toBe(true);
  });
});
