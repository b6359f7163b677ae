import { create } from "@bufbuild/protobuf";
import { createClient, createRouterTransport, type HandlerContext } from "@connectrpc/connect";
import { AgentService, WatchCommandsResponseSchema } from "@petak/protocol";
import { createManualTimers } from "@petak/testkit";
import { expect, it } from "vitest";
import { createCommandWatcher } from "./command-watcher.ts";

/** A gateway whose streams say something when they are told to, and a watcher of them. Time passes as told. */
function watching() {
  const timers = createManualTimers();
  const heard = { count: 0 };
  const streams: { say: () => void; hasEnded: boolean }[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(AgentService, {
      async *watchCommands(_request, { signal }: HandlerContext) {
        let next = Promise.withResolvers<void>();
        const stream = { say: () => next.resolve(), hasEnded: false };
        streams.push(stream);
        signal.addEventListener("abort", () => {
          stream.hasEnded = true;
          next.reject(signal.reason);
        });
        for (;;) {
          yield create(WatchCommandsResponseSchema, { syncNow: true });
          await next.promise;
          next = Promise.withResolvers<void>();
        }
      },
    });
  });
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const watcher = createCommandWatcher({
    ...{ client: createClient(AgentService, transport), siteId: "site_83652b_k3v9c0x2md00004k", logger: silent },
    store: { epoch: { held: () => undefined } as never },
    ...{ after: timers.after, afterSilence: timers.after, random: () => 0.5 },
    ...{ onCommands: () => undefined, onNudge: () => void heard.count++ },
  });
  return { timers, streams, watcher, heard };
}

const until = async (isSo: () => boolean) => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

it("a stream that has been silent for 45 s is given up, and another one begins", async () => {
  const { timers, streams, watcher, heard } = watching();
  watcher.start();
  await until(() => heard.count === 1);
  timers.advance(44_999);
  expect(streams).toMatchObject([{ hasEnded: false }]);
  timers.advance(1);
  await until(() => streams[0]?.hasEnded === true);
  // It waits before it connects again.
  await until(() => timers.waiting() === 1);
  expect(streams).toHaveLength(1);
  timers.advance(60_000);
  await until(() => streams.length === 2);
  await watcher.stop();
});

it("a stream that says something every 44 s is kept", async () => {
  const { timers, streams, watcher, heard } = watching();
  watcher.start();
  for (let message = 1; message <= 10; message++) {
    await until(() => heard.count === message);
    timers.advance(44_000);
    streams[0]?.say();
  }
  await until(() => heard.count === 11);
  expect(streams).toMatchObject([{ hasEnded: false }]);
  await watcher.stop();
});
