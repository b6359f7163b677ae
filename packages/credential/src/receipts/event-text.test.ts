import { create, type DescField, type DescMessage, type Message } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { type Event, EventSchema } from "@petak/protocol";
import { expect, it } from "vitest";
import { eventText } from "./event-text.ts";

/** A message with everything set but what makes a receipt, which is signed by itself, and the trace. */
function full(schema: DescMessage): Message {
  const message = create(schema);
  const fields = reflect(schema, message);
  for (const field of schema.fields.filter(isHashed)) {
    if (field.fieldKind === "message") fields.set(field, reflect(field.message, full(field.message)));
    else if (field.fieldKind === "list") fields.get(field).add(oneOf(field));
    else fields.set(field, setValues[typeof fields.get(field)]);
  }
  return message;
}

function oneOf(field: DescField & { fieldKind: "list" }): unknown {
  if (field.listKind === "message") return reflect(field.message, full(field.message));
  return field.listKind === "enum" ? 1 : "one";
}

const setValues: Readonly<Record<string, unknown>> = { string: "text", boolean: true, number: 1, bigint: 1n, object: new Uint8Array([7]) };

function isHashed({ parent, localName }: DescField): boolean {
  return parent !== EventSchema || (localName !== "receipt" && localName !== "traceparent");
}

/** Every way to a field. */
function waysTo(schema: DescMessage, way: readonly DescField[] = []): DescField[][] {
  return schema.fields.filter(isHashed).flatMap((field) => {
    const here = [...way, field];
    return field.fieldKind === "message" ? [here, ...waysTo(field.message, here)] : [here];
  });
}

it("every field of an event is in the text of which the hash is signed", () => {
  const texts = new Map([["whole", eventText(full(EventSchema) as Event)]]);
  for (const way of waysTo(EventSchema)) {
    const event = full(EventSchema);
    const holder = way
      .slice(0, -1)
      .reduce((message, field) => (message as unknown as Record<string, Message>)[field.localName] as Message, event);
    const last = way.at(-1) as DescField;
    reflect(last.parent, holder).clear(last);
    texts.set(way.map(({ localName }) => localName).join("."), eventText(event as Event));
  }
  expect(texts.size).toBeGreaterThan(40);
  expect(new Set(texts.values()).size).toBe(texts.size);
});

it("the trace of an event is in no hash, so that verifiers and gateways without it find the same", () => {
  const event = full(EventSchema) as Event;
  const traced = { ...event, traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  expect(eventText(traced)).toBe(eventText(event));
});
