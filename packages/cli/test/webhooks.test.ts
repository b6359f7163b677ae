import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, beforeEach, expect, onTestFinished, test } from "vitest";
import { useGateway } from "./running-gateway.ts";

const gateway = useGateway();
let key: string;
let url: string;
let status: number;

beforeAll(async () => {
  key = await gateway.makeParticipant("Courier", "courier");
});

beforeEach(async () => {
  status = 204;
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () => response.writeHead(status).end(status === 204 ? undefined : "not today"));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
});

/** Runs `petak webhooks` and gives what it prints as JSON. */
async function webhooks<Answer = { endpointId: string; state: string; keys: { publicKey: string }[]; verifiedAt?: string }>(
  ...args: string[]
): Promise<Answer> {
  const { exitCode, stdout } = await gateway.petak(["--key", key, "webhooks", ...args, "--json"]);
  expect(exitCode).toBe(0);
  return JSON.parse(stdout) as Answer;
}

test("an endpoint is made, shown, tested, rotated, paused, resumed, replayed and deleted", async () => {
  const { endpointId, state, keys } = await webhooks("create", url, "--event", "parcel-deposited,parcel-collected", "--label", "staging");
  expect({ endpointId, state, keys }).toEqual({
    endpointId: expect.stringMatching(/^whe_test_[0-9a-z]{16}$/),
    state: "WEBHOOK_STATE_ACTIVE",
    keys: [expect.objectContaining({ publicKey: expect.stringMatching(/^whpk_/) })],
  });
  expect(await webhooks("test", endpointId)).toMatchObject({ delivered: true, status: 204, endpoint: { verifiedAt: expect.any(String) } });
  expect((await webhooks("rotate", endpointId, "--overlap", "1")).keys.length).toBe(2);
  expect((await webhooks("pause", endpointId)).state).toBe("WEBHOOK_STATE_PAUSED");
  expect((await webhooks("resume", endpointId)).state).toBe("WEBHOOK_STATE_ACTIVE");
  await webhooks("replay", endpointId, "--from", "2026-11-05T21:30+08:00");
  const shown = await gateway.petak(["--key", key, "webhooks", "show", endpointId]);
  expect(shown.stdout).toMatch(
    /^endpoint {5}whe_test_.*\nurl {10}http.*\nlabel {8}staging\nevents {7}parcel-deposited, parcel-collected\n/,
  );
  expect(shown.stdout).toMatch(/^key {10}whpk_\S+ \(until \d{4}-/m);
  const listed = await gateway.petak(["--key", key, "webhooks", "list"]);
  expect(listed.stdout).toMatch(new RegExp(`^${endpointId} +active +${url} +staging +0$`, "m"));
  expect(await webhooks<object>("delete", endpointId)).toEqual({ deleted: endpointId });
  expect((await gateway.petak(["--key", key, "webhooks", "list"])).stdout).toContain("No endpoints.");
});

test("a test event that is not accepted is a failure with the reason", async () => {
  const { endpointId } = await webhooks("create", url);
  status = 500;
  const { exitCode, stderr } = await gateway.petak(["--key", key, "webhooks", "test", endpointId]);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/did not accept the test event \(server error, status 500, after \d+ ms\)\. Response: not today/);
});

test.each([
  [
    "a type of event that there is none of",
    ["create", "https://hooks.example/", "--event", "parcel-eaten"],
    2,
    /Write one of reservation-held/,
  ],
  ["a time without an offset", ["replay", "whe_test_x", "--from", "2026-11-05"], 2, /offset from UTC/],
  ["an overlap that is too long", ["rotate", "whe_test_x", "--overlap", "169"], 2, /from 0 to 168/],
  ["an address in the gateway's own network", ["create", "https://169.254.169.254/"], 1, /must not name a private, .* \[INVALID_FIELD\]/],
  ["an endpoint that is not there", ["pause", "whe_test_x"], 1, /WEBHOOK_ENDPOINT_NOT_FOUND/],
] as const)("%s is refused", async (_what, args, code, message) => {
  const { exitCode, stderr } = await gateway.petak(["--key", key, "webhooks", ...args]);
  expect(stderr).toMatch(message);
  expect(exitCode).toBe(code);
});
