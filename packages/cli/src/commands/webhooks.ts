import { randomUUID } from "node:crypto";
import { toJson } from "@bufbuild/protobuf";
import { durationFromMs, durationMs, timestampFromDate } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import {
  type EventType,
  ListEndpointsResponseSchema,
  TestEndpointResponseSchema,
  type WebhookEndpoint,
  WebhookEndpointSchema,
} from "@petak/protocol";
import { type Command, InvalidArgumentError } from "commander";
import type { CommandContext, CommandModule } from "../command.ts";
import { CliFailure } from "../failure.ts";
import type { Session } from "../session.ts";
import { idOf } from "./id-argument.ts";
import { instantParser } from "./instant.ts";
import { collectEventTypes, describeEndpoint, eventTypeNames, failureText, stateText } from "./webhook-text.ts";

/** Timeout of a test, in ms: the endpoint may take 15 s. */
const testTimeoutMs = 20_000;

const hourMs = 3_600_000;
const endpointArgument = "the endpoint's id, whe_…";

/** `petak webhooks`: manages the caller's webhook endpoints. */
export const registerWebhooks: CommandModule = (command, context) => {
  command
    .command("create")
    .description("create an endpoint in the network of the key; it receives events from now on")
    .argument("<url>", "where to send events: https://…")
    .option("--event <type>", `only these types of events: ${eventTypeNames.join(", ")}; several with commas`, collectEventTypes)
    .option("--label <text>", "a label for people", "")
    .option("--cursor <cursor>", "start after this cursor of ListEvents", "")
    .action(async (url: string, options: { event?: EventType[]; label: string; cursor: string }, running: Command) => {
      await showAfter(context, running, async ({ webhooks }) => {
        const { event, label, cursor } = options;
        const filter = event === undefined ? {} : { filter: { eventTypes: event } };
        return (await webhooks.createEndpoint({ requestId: randomUUID(), url, ...filter, label, cursor })).endpoint;
      });
    });

  command
    .command("list")
    .description("list the endpoints of the key's network")
    .action(async (_options: object, running: Command) => {
      await listEndpoints(context.session(running));
    });

  command
    .command("show")
    .description("show an endpoint with its keys and health")
    .argument("<endpoint>", endpointArgument, idOf("whe"))
    .action(async (endpointId: string, _options: object, running: Command) => {
      await showAfter(context, running, async ({ webhooks }) => (await webhooks.getEndpoint({ endpointId })).endpoint);
    });

  command
    .command("test")
    .description("send a test event now and show the result")
    .argument("<endpoint>", endpointArgument, idOf("whe"))
    .action(async (endpointId: string, _options: object, running: Command) => {
      await testEndpoint(context.session(running), endpointId);
    });

  command
    .command("rotate")
    .description("give an endpoint a new key; the old one also signs during the overlap")
    .argument("<endpoint>", endpointArgument, idOf("whe"))
    .option("--overlap <hours>", "duration of the overlap, 0 to 168 (default: 24)", parseOverlap)
    .action(async (endpointId: string, { overlap }: { overlap?: number }, running: Command) => {
      await showAfter(context, running, async ({ webhooks }) => {
        const wanted = overlap === undefined ? {} : { overlap: durationFromMs(overlap * hourMs) };
        return (await webhooks.rotateEndpointKey({ requestId: randomUUID(), endpointId, ...wanted })).endpoint;
      });
    });

  for (const [name, paused, description] of [
    ["pause", true, "stop sending until it is resumed"],
    ["resume", false, "continue where it stopped, also if the gateway disabled it"],
  ] as const) {
    command
      .command(name)
      .description(description)
      .argument("<endpoint>", endpointArgument, idOf("whe"))
      .action(async (endpointId: string, _options: object, running: Command) => {
        await showAfter(
          context,
          running,
          async ({ webhooks }) => (await webhooks.updateEndpoint({ requestId: randomUUID(), endpointId, paused })).endpoint,
        );
      });
  }

  command
    .command("replay")
    .description("send recorded events again, with their original ids")
    .argument("<endpoint>", endpointArgument, idOf("whe"))
    .option("--from <time>", "events recorded at or after this, e.g. 2026-11-05T21:30+08:00 or -2h", instantParser(context.io))
    .option("--to <time>", "events recorded before this (default: now)", instantParser(context.io))
    .option("--from-number <number>", "events from this number of your feed on", parseNumber)
    .option("--to-number <number>", "events up to this number of your feed", parseNumber)
    .option("--cursor <cursor>", "events after this cursor of ListEvents", "")
    .action(async (endpointId: string, options: ReplayOptions, running: Command) => {
      await showAfter(context, running, async ({ webhooks }) => {
        const { from, to, fromNumber, toNumber, cursor } = options;
        const range = {
          ...(from && { from: timestampFromDate(from) }),
          ...(to && { to: timestampFromDate(to) }),
          ...(fromNumber && { fromNumber }),
          ...(toNumber && { toNumber }),
        };
        return (await webhooks.replayEvents({ requestId: randomUUID(), endpointId, cursor, ...range })).endpoint;
      });
    });

  command
    .command("delete")
    .description("delete an endpoint and its pending events")
    .argument("<endpoint>", endpointArgument, idOf("whe"))
    .action(async (endpointId: string, _options: object, running: Command) => {
      const { client, output } = await connect(context.session(running));
      await client.webhooks.deleteEndpoint({ requestId: randomUUID(), endpointId });
      output.json({ deleted: endpointId });
      output.print(`Deleted ${endpointId}.`);
    });
};

function parseNumber(text: string): bigint {
  if (!/^[1-9]\d{0,13}$/.test(text)) throw new InvalidArgumentError("write a number, 1 or greater.");
  return BigInt(text);
}

interface ReplayOptions {
  from?: Date;
  to?: Date;
  fromNumber?: bigint;
  toNumber?: bigint;
  cursor: string;
}

async function connect(session: Session) {
  const { client } = await session.connect();
  return { client, output: session.output };
}

/** Runs an action and shows the resulting endpoint. */
async function showAfter(context: CommandContext, running: Command, act: (client: PetakClient) => Promise<WebhookEndpoint | undefined>) {
  const { client, output } = await connect(context.session(running));
  const endpoint = await act(client);
  if (endpoint === undefined) return;
  output.json(toJson(WebhookEndpointSchema, endpoint));
  for (const line of describeEndpoint(endpoint)) output.print(line);
}

async function listEndpoints(session: Session): Promise<void> {
  const { client, output } = await connect(session);
  const response = await client.webhooks.listEndpoints({});
  output.json(toJson(ListEndpointsResponseSchema, response));
  output.table(
    [
      { title: "ENDPOINT", paint: output.colors.cyan },
      { title: "STATE" },
      { title: "URL", flexible: true },
      { title: "LABEL", flexible: true },
      { title: "TO RETRY" },
    ],
    response.endpoints.map(({ endpointId, state, url, label, health }) => [
      endpointId,
      stateText(state),
      url,
      label,
      String(health?.pendingRetries ?? 0),
    ]),
  );
  if (response.endpoints.length === 0) output.print(output.colors.dim("No endpoints."));
}

async function testEndpoint(session: Session, endpointId: string): Promise<void> {
  const { client, output } = await connect(session);
  const answer = await client.webhooks.testEndpoint({ requestId: randomUUID(), endpointId }, { timeoutMs: testTimeoutMs });
  const { delivered, failure, status, duration, responseExcerpt } = answer;
  const json = toJson(TestEndpointResponseSchema, answer);
  const tookMs = duration === undefined ? 0 : Math.round(durationMs(duration));
  if (!delivered) {
    const said = responseExcerpt === "" ? "" : ` Response: ${responseExcerpt}`;
    throw new CliFailure(`The endpoint did not accept the test event (${failureText(failure, status)}, after ${tookMs} ms).${said}`, {
      reason: "not-delivered",
      result: json as Record<string, unknown>,
    });
  }
  output.json(json);
  output.print(`The endpoint accepted ${answer.eventId} with status ${status}, in ${tookMs} ms. It is verified.`);
}

function parseOverlap(text: string): number {
  const hours = Number(text);
  if (text.trim() === "" || !(hours >= 0 && hours <= 168)) throw new InvalidArgumentError("write hours from 0 to 168.");
  return hours;
}
