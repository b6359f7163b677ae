import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import { CustodyService, EventSchema, type WatchEventsRequest, WatchEventsResponseSchema } from "@petak/protocol";
import { expect, test } from "vitest";
import { followFeed } from "./follow-feed.ts";

/** The ways in which a stream ends, one after the other. The last one lasts until it is aborted. */
async function follow(...ends: (ConnectError | "end")[]) {
  const [asked, seen, lost] = [[] as WatchEventsRequest[], [] as string[], [] as string[]];
  const stopping = new AbortController();
  const transport = createRouterTransport(({ service }) => {
    service(CustodyService, {
      async *watchEvents(request) {
        asked.push(request);
        const number = asked.length;
        yield create(WatchEventsResponseSchema, { events: [create(EventSchema, { eventId: `evt_${number}` })], cursor: `after ${number}` });
        const end = ends[number - 1];
        if (end instanceof ConnectError) throw end;
        if (end === undefined) stopping.abort();
      },
    });
  });
  await followFeed({ custody: createClient(CustodyService, transport) } as Parameters<typeof followFeed>[0], {
    from: { fromNow: true },
    signal: stopping.signal,
    onEvents: async (events) => void seen.push(...events.map(({ eventId }) => eventId)),
    onLost: ({ rawMessage }) => void lost.push(rawMessage),
  });
  return { asked: asked.map(({ cursor, fromNow }) => [cursor, fromNow]), seen, lost };
}

test("a lost stream is opened again after its last cursor", async () => {
  expect(await follow(new ConnectError("gone", Code.Unavailable), "end")).toEqual({
    asked: [
      ["", true],
      ["after 1", false],
      ["after 2", false],
    ],
    seen: ["evt_1", "evt_2", "evt_3"],
    lost: ["gone", "the stream has ended"],
  });
});

test("what does not pass by itself ends it", async () => {
  await expect(follow(new ConnectError("the key is revoked", Code.Unauthenticated))).rejects.toThrow("the key is revoked");
});
