import { connect } from "node:http2";
import { PetakError } from "@petak/protocol";
import { expect, onTestFinished, test } from "vitest";
import { rawConnection, reasonInTrailers } from "./testing/raw-http.ts";
import { goodRequest, startTestGateway } from "./testing/test-gateway.ts";

const findNearest = "/petak.v1.DirectoryService/FindNearest";
const longHead = `POST ${findNearest} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n`;

/** Opens a stream of a new connection, and closes the connection at the end of the test. */
function openStream(port: number, path: string, contentType: string) {
  const session = connect(`http://127.0.0.1:${port}`).on("error", () => {});
  onTestFinished(() => session.destroy());
  return session.request({ ":method": "POST", ":path": path, "content-type": contentType, te: "trailers" }).on("error", () => {});
}

function refuseStrangers(): never {
  throw new PetakError("CREDENTIALS_MALFORMED", "nobody");
}

test("a stranger's long message is refused before all of it has come, over HTTP/1.1 and HTTP/2", async () => {
  const { port } = await startTestGateway({ identify: refuseStrangers });
  const { socket, received } = await rawConnection(port);
  socket.write(longHead + " ".repeat(3000));
  const stream = openStream(port, findNearest, "application/json");
  const status = new Promise((resolve) => stream.on("response", ({ ":status": answered }) => resolve(answered)));
  stream.write(" ".repeat(3000));
  await expect.poll(received).toMatch(/^HTTP\/1.1 401 /);
  expect(await status).toBe(401);
});

test("a message that comes in many pieces is not collected by the fast reader", async () => {
  const { port, fastReaderCalls } = await startTestGateway();
  const { socket, received } = await rawConnection(port);
  const body = JSON.stringify(goodRequest) + " ".repeat(300_000);
  socket.write(
    `POST ${findNearest} HTTP/1.1\r\nHost: a\r\nAuthorization: known\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  await expect.poll(received).toMatch(/^HTTP\/1.1 200 /);
  expect(fastReaderCalls()).toBe(0);
});

test("a message of server reflection has a few kilobytes at most", async () => {
  const { port } = await startTestGateway();
  const stream = openStream(port, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "application/grpc");
  const trailers = new Promise<Record<string, string>>((resolve) =>
    stream.on("trailers", (came) => resolve(came as Record<string, string>)),
  );
  stream.resume();
  stream.write(Buffer.from([0, 0, 0, 0x20, 0]));
  expect(reasonInTrailers(await trailers)).toBe("MESSAGE_TOO_LARGE");
  expect((await trailers)["grpc-message"]).toContain("4096");
});
