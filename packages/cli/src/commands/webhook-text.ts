import { durationMs, type Timestamp, timestampDate } from "@bufbuild/protobuf/wkt";
import { EventType, type WebhookEndpoint, WebhookFailure, WebhookState } from "@petak/protocol";
import { InvalidArgumentError } from "commander";

const typeNames = Object.entries(EventType)
  .filter(([, value]) => value !== EventType.UNSPECIFIED)
  .map(([name, value]) => [wordOf(name), value] as const);

/** The values of `--event`. */
export const eventTypeNames: readonly string[] = typeNames.map(([name]) => name);

/** Parses comma-separated event types and adds them to earlier ones. */
export function collectEventTypes(text: string, earlier: EventType[] = []): EventType[] {
  const types = text.split(",").map((word) => {
    const [, type] = typeNames.find(([name]) => name === word.trim().toLowerCase()) ?? [];
    if (type === undefined) throw new InvalidArgumentError(`write one of ${eventTypeNames.join(", ")}.`);
    return type;
  });
  return [...new Set([...earlier, ...types])];
}

/** The reason of a failed attempt in words. */
export function failureText(failure: WebhookFailure, status: number): string {
  const name = wordOf(Object.entries(WebhookFailure).find(([, value]) => value === failure)?.[0] ?? `failure ${failure}`).replaceAll(
    "-",
    " ",
  );
  return status === 0 ? name : `${name}, status ${status}`;
}

/** The displayed name of a state. */
export function stateText(state: WebhookState): string {
  return wordOf(Object.entries(WebhookState).find(([, value]) => value === state)?.[0] ?? `state ${state}`);
}

/** Describes an endpoint in a few lines: settings, keys and health. */
export function describeEndpoint({ endpointId, url, state, filter, label, keys, verifiedAt, health }: WebhookEndpoint): string[] {
  const lines: [title: string, text: string][] = [
    ["endpoint", endpointId],
    ["url", url],
    ["label", label],
    [
      "events",
      filter === undefined ? "all" : filter.eventTypes.map((type) => typeNames.find(([, one]) => one === type)?.[0] ?? type).join(", "),
    ],
    ["state", stateText(state)],
    ...keys.map(({ publicKey, expiresAt }): [string, string] => [
      "key",
      expiresAt === undefined ? publicKey : `${publicKey} (until ${timeText(expiresAt)})`,
    ]),
    ["verified", timeText(verifiedAt) || "never: run `petak webhooks test`"],
  ];
  if (health !== undefined) {
    lines.push(["last success", timeText(health.lastSuccessAt) || "never"]);
    if (health.lastFailureAt !== undefined) {
      lines.push(["last failure", `${timeText(health.lastFailureAt)}: ${failureText(health.lastFailure, health.lastFailureStatus)}`]);
    }
    lines.push([
      "failures",
      `${health.consecutiveFailures} in a row, ${health.pendingRetries} to be retried, ${health.abandonedEvents} abandoned`,
    ]);
    if (health.lag !== undefined) lines.push(["lag", `${Math.round(durationMs(health.lag) / 1000)} s`]);
    if (health.openReplays > 0) lines.push(["replays", `${health.openReplays} running`]);
  }
  return lines.filter(([, text]) => text !== "").map(([title, text]) => `${title.padEnd(13)}${text}`);
}

function timeText(time: Timestamp | undefined): string {
  return time === undefined ? "" : `${timestampDate(time).toISOString().slice(0, 19)}Z`;
}

/** A constant's name on the command line: `PARCEL_DEPOSITED` is `parcel-deposited`. */
function wordOf(name: string): string {
  return name.toLowerCase().replaceAll("_", "-");
}
