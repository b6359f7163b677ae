import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { sendAtOnce } from "./send-at-once.ts";

/** Opens a connection whose client does not read yet. */
async function openConnection(server: Server): Promise<{ ours: Socket; client: Socket }> {
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const [ours] = await accepted;
  return { ours, client };
}

test("a client that reads late gets its own answers, even if others were sent in the meantime", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  onTestFinished(() => void server.close());
  await once(server, "listening");
  const [late, other] = [await openConnection(server), await openConnection(server)];
  const otherBytes = buffer(other.client);
  const head = "HTTP/1.1 200 OK\r\n\r\n";
  const answers = 1000;
  for (let number = 0; number < answers; number++) {
    for (const [{ ours }, base] of [
      [late, 0],
      [other, 128],
    ] as const) {
      const body = Buffer.alloc(8000, base + (number % 128));
      sendAtOnce(ours, head, body, body.length);
      body.fill(0);
    }
  }
  expect(late.ours.writableLength).toBeGreaterThan(0);
  late.ours.end();
  other.ours.end();
  for (const [bytes, base] of [
    [await buffer(late.client), 0],
    [await otherBytes, 128],
  ] as const) {
    const expected = Array.from({ length: answers }, (_, number) => [Buffer.from(head), Buffer.alloc(8000, base + (number % 128))]);
    expect(bytes.equals(Buffer.concat(expected.flat()))).toBe(true);
  }
});
