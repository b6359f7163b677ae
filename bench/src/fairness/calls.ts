import { randomInt, randomUUID } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createHttpAnswers } from "../rpc/http-answers.ts";

/** A connection of HTTP/1.1 that is opened again when it was closed. */
export interface Connection {
  /** Sends a request. Resolves with the status of its answer and its body; the status is 0 if the connection was closed before. */
  send(bytes: Buffer): Promise<{ status: number; body: string }>;
  close(): void;
}

/** The pause before a connection that was closed is opened again, in ms: whoever is shut out keeps knocking, but not in a loop. */
const reopenMs = 20;

/** Makes a connection from an address of this machine. */
export function openConnection(port: number, localAddress: string): Connection {
  let socket: Socket | undefined;
  let answered: ((answer: { status: number; body: string }) => void) | undefined;
  let received = "";

  async function opened(): Promise<Socket> {
    if (socket?.writable === true) return socket;
    const made = connect({ port, host: "127.0.0.1", localAddress, noDelay: true });
    const answers = createHttpAnswers((status) => {
      const body = received.slice(received.indexOf("\r\n\r\n") + 4);
      received = "";
      answered?.({ status, body });
    });
    made.on("data", (chunk: Buffer) => {
      received += chunk.toString("latin1");
      answers.take(chunk, chunk.byteLength);
    });
    made.on("error", () => {});
    made.on("close", () => answered?.({ status: 0, body: "" }));
    socket = made;
    await Promise.race([once(made, "connect"), once(made, "close")]).catch(() => undefined);
    return made;
  }

  return {
    async send(bytes) {
      const open = await opened();
      received = "";
      const answer = await new Promise<{ status: number; body: string }>((resolve) => {
        answered = resolve;
        if (open.destroyed) resolve({ status: 0, body: "" });
        else open.write(bytes);
      });
      answered = undefined;
      if (answer.status === 0) await new Promise((resolve) => setTimeout(resolve, reopenMs));
      return answer;
    },
    close: () => socket?.destroy(),
  };
}

/** A call in Connect JSON. */
export function callBytes(method: string, authorization: string, message: unknown, fields: readonly string[] = []): Buffer {
  const body = JSON.stringify(message);
  const lines = [
    `POST /petak.v1.${method} HTTP/1.1`,
    "Host: 127.0.0.1",
    `Authorization: ${authorization}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...fields,
  ];
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`);
}

const parcel = { widthMm: 300, heightMm: 150, depthMm: 400, massG: 1500 };

/** A place within the city. */
function somewhere(): { latitude: number; longitude: number } {
  return { latitude: 1.3 + randomInt(1000) / 10_000, longitude: 103.72 + randomInt(2200) / 10_000 };
}

/** A search, as a checkout asks. */
export function findBytes(authorization: string): Buffer {
  const message = { origin: somewhere(), parcel, limit: 5 };
  return callBytes("DirectoryService/FindNearest", authorization, message, ["Origin: https://shop.example"]);
}

/** A new hold at the nearest site. */
export function reserveBytes(authorization: string): Buffer {
  return callBytes("ReservationService/Reserve", authorization, { requestId: randomUUID(), nearest: { origin: somewhere() }, parcel });
}

/** Takes a hold back. */
export function cancelBytes(authorization: string, reservationId: string): Buffer {
  const message = { requestId: randomUUID(), reservationId, reason: "CANCELLATION_REASON_ORDER_CANCELLED" };
  return callBytes("ReservationService/Cancel", authorization, message);
}
