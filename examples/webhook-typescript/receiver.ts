/**
 * A courier's server that takes webhooks, verifies them, and prints each event as a line of JSON.
 *
 *     npx node examples/webhook-typescript/receiver.ts --key whpk_… [--key whpk_…] [--port 8421]
 *
 * What it does with an event is what everybody should: remember its id, so that it is dealt with once, answer at once, and go and read
 * `ListEvents`. The webhook is a nudge; the record is the truth.
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

/** Ids of events that were dealt with. A program with more than one process keeps them in its database. */
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
