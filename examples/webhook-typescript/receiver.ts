/**
 * A courier's server that receives webhooks, verifies them, and prints each event as a line of JSON.
 *
 *     npx node examples/webhook-typescript/receiver.ts --key whpk_… [--key whpk_…] [--port 8421]
 *
 * It handles events as every receiver should: store the id, so that each event is processed once, respond at once, and then read
 * `ListEvents`. The feed is the truth; a webhook only says early that it has grown.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { HTTP } from "cloudevents";
import { verifyWebhook } from "./verify-webhook.ts";

const { values } = parseArgs({
  options: { key: { type: "string", multiple: true, default: [] }, port: { type: "string", default: "8421" } },
});
const print = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** Ids of events that were processed. A program with several processes keeps them in its database. */
const seen = new Set<string>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const body = Buffer.concat(chunks).toString("utf8");
    try {
      verifyWebhook(values.key, request.headers, body);
    } catch (error) {
      print({ refused: (error as Error).message });
      response.writeHead(401).end();
      return;
    }
    const event = HTTP.toEvent({ headers: request.headers as Record<string, string>, body });
    if (!Array.isArray(event) && !seen.has(event.id)) {
      seen.add(event.id);
      print({ id: event.id, type: event.type, subject: event.subject, data: event.data });
    }
    response.writeHead(204).end();
  });
});
server.listen(Number(values.port), "127.0.0.1", () => print({ listening: (server.address() as AddressInfo).port }));
