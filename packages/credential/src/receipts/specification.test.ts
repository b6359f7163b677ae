import { readFileSync } from "node:fs";
import { create, fromJson } from "@bufbuild/protobuf";
import { EventSchema, EventType, ReservationSchema, ReservationState } from "@petak/protocol";
import { expect, it } from "vitest";
import { generateIssuerKey } from "../keys/issuer-key.ts";
import { chainFaults } from "./chain-faults.ts";
import { signChainStatement } from "./chain-statement.ts";
import { eventText } from "./event-text.ts";
import { handOvers } from "./hand-overs.ts";
import { nameOf } from "./names.ts";
import { readReceipt } from "./read-receipt.ts";

const specification = readFileSync(new URL("../../../../docs/custody.md", import.meta.url), "utf8");

it("docs/custody.md has the table of hand-overs", () => {
  const rows = [...specification.matchAll(/^\| `([A-Z_]+)` \| ([A-Z_]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
    ([, ...cells]) => cells,
  );
  const side = (name: string | undefined) => (name === undefined ? "–" : `the ${name}`);
  expect(rows).toEqual(
    handOvers.map(({ act, event, from, to, sides }) => {
      const leadsTo = to === undefined ? "the state as it was" : nameOf(ReservationState, to);
      const whence = from === undefined ? "" : `, from ${nameOf(ReservationState, from)}`;
      return [act, nameOf(EventType, event), `${leadsTo}${whence}`, side(sides?.[0]), side(sides?.[1])];
    }),
  );
});

it("docs/custody.md names exactly the faults that a verifier can find", () => {
  const [, verifying = ""] = specification.split("## Verifying");
  const [rules = ""] = verifying.split("## Test vectors");
  const named = new Set([...rules.matchAll(/`([A-Z_]{4,})`/g)].map(([, code]) => code));
  expect([...named].sort()).toEqual(Object.keys(chainFaults).sort());
});

it("docs/custody.md has a valid example of a receipt, with every member in order", () => {
  const [, example = ""] = /### A receipt\n[\s\S]*?```json\n([\s\S]*?)```/.exec(specification) ?? [];
  const claims = JSON.stringify(JSON.parse(example));
  const header = JSON.stringify({ alg: "EdDSA", typ: "petak-receipt", kid: "Xy3_" });
  const jws = [header, claims, "\0".repeat(64)].map((part) => Buffer.from(part).toString("base64url")).join(".");
  expect(readReceipt(jws)).toMatchObject({ keyId: "Xy3_", claims: { act: "DEPOSITED" } });
});

it("docs/custody.md has examples of a statement and of an event's text with every member in order", async () => {
  const [, statement = "", text = ""] =
    /### A statement\n[\s\S]*?```json\n([\s\S]*?)```[\s\S]*?```json\n([\s\S]*?)```/.exec(specification) ?? [];
  const issuerKey = await generateIssuerKey();
  const event = fromJson(EventSchema, {
    actor: {},
    occurredAt: "2026-11-24T12:00:00Z",
    recordedAt: "2026-11-24T12:00:00Z",
    proof: {},
    cloudEvent: {},
    occurredAtUtcOffset: "0s",
    correction: {},
    feeDue: {},
  });
  const standing = { reservation: create(ReservationSchema), events: [event], earlierCount: 0, asOfMs: 0 };
  const { jws } = await signChainStatement(standing, issuerKey);
  const claims = JSON.parse(Buffer.from(jws.split(".")[1] ?? "", "base64url").toString());
  expect(namesIn(JSON.parse(statement))).toEqual(namesIn(claims));
  expect(namesIn(JSON.parse(text))).toEqual(namesIn(JSON.parse(eventText(event))));
});

/** The names of all members in their order. */
function namesIn(value: unknown): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => [name, ...namesIn(member)]);
}
