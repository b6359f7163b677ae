/**
 * Listens to a courier's events over a gateway's stream, in a process of its own, so that an event's way does not end in the queue of who makes the load:
 * `stream-listener.ts <facts>`. Sends its parent how long events took to come, in ms, ten times a second; the first message, of none, says that it listens.
 * Ends when its parent has gone or disconnects.
 */
import { readFile } from "node:fs/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createPetakClient, createRequestSigner, type RequestSignerOptions } from "@petak/client/node";

const tellIntervalMs = 100;

const [factsPath = ""] = process.argv.slice(2);
const facts = JSON.parse(await readFile(factsPath, "utf8")) as { port: number; courierKey: RequestSignerOptions };
const client = createPetakClient({ baseUrl: `http://127.0.0.1:${facts.port}`, signer: createRequestSigner(facts.courierKey) });
process.on("disconnect", () => process.exit());

let delaysMs: number[] = [];
let hasBegun = false;
const tell = () => {
  process.send?.(delaysMs);
  delaysMs = [];
};
setInterval(() => {
  if (delaysMs.length > 0) tell();
}, tellIntervalMs);

for await (const { events } of client.custody.watchEvents({ fromNow: true })) {
  const nowMs = performance.timeOrigin + performance.now();
  for (const { recordedAt } of events) delaysMs.push(recordedAt === undefined ? Number.NaN : nowMs - timestampMs(recordedAt));
  if (!hasBegun) tell();
  hasBegun = true;
}
