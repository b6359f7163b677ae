/**
 * Listens to a courier's events over a gateway's stream in a separate process, so that an event's delay does not include the queue of the
 * load generator: `stream-listener.ts <facts>`. Sends its parent the delays of events, in ms, ten times a second; the first message,
 * without delays, says that it is listening. Exits when its parent has exited or disconnects.
 */
import { readFile } from "node:fs/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { createPetakClient, createRequestSigner, type RequestSignerOptions } from "@petak/client/node";

const sendIntervalMs = 100;

const [factsPath = ""] = process.argv.slice(2);
const facts = JSON.parse(await readFile(factsPath, "utf8")) as { port: number; courierKey: RequestSignerOptions };
const client = createPetakClient({ baseUrl: `http://127.0.0.1:${facts.port}`, signer: createRequestSigner(facts.courierKey) });
process.on("disconnect", () => process.exit());

let delaysMs: number[] = [];
let hasBegun = false;
const sendDelays = () => {
  process.send?.(delaysMs);
  delaysMs = [];
};
setInterval(() => {
  if (delaysMs.length > 0) sendDelays();
}, sendIntervalMs);

for await (const { events } of client.custody.watchEvents({ fromNow: true })) {
  const nowMs = performance.timeOrigin + performance.now();
  for (const { recordedAt } of events) delaysMs.push(recordedAt === undefined ? Number.NaN : nowMs - timestampMs(recordedAt));
  if (!hasBegun) sendDelays();
  hasBegun = true;
}
