import { createFrozenClock } from "@petak/testkit";
import { expect, it } from "vitest";
import type { PublishedFiles } from "./builder.ts";
import { createPublishedDirectory } from "./published-directory.ts";
import { TooManySites } from "./published-region.ts";

function openPublished(waitMs?: number) {
  const clock = createFrozenClock();
  const builds: PromiseWithResolvers<PublishedFiles>[] = [];
  const failures: Error[] = [];
  const published = createPublishedDirectory({
    build: () => {
      const build = Promise.withResolvers<PublishedFiles>();
      builds.push(build);
      return build.promise;
    },
    now: clock.now,
    onFailure: (error) => failures.push(error),
    ...(waitMs === undefined ? {} : { waitMs }),
  });
  const finish = () => builds.at(-1)?.resolve({ builtMs: clock.now() } as PublishedFiles);
  return { clock, builds, failures, published, finish };
}

it("makes the files once for all who ask within an interval", async () => {
  const { clock, builds, published, finish } = openPublished();
  const asked = Promise.all([published.current(), published.current(), published.current()]);
  finish();
  const [first, second] = await asked;
  expect(second).toBe(first);
  clock.advance(29_999);
  expect(await published.current()).toBe(first);
  expect(builds).toHaveLength(1);
});

it("answers with the files at hand while newer ones are made, and with none that are two intervals old", async () => {
  const { clock, builds, published, finish } = openPublished();
  const asked = published.current();
  finish();
  const first = await asked;
  clock.advance(30_000);
  expect(await published.current()).toBe(first);
  expect(await published.current()).toBe(first);
  expect(builds).toHaveLength(2);
  clock.advance(30_000);
  const waiting = published.current();
  finish();
  expect(await waiting).not.toBe(first);
  expect(builds).toHaveLength(2);
});

it("makes the files anew when the clock was set back", async () => {
  const { clock, builds, published, finish } = openPublished();
  const asked = published.current();
  finish();
  await asked;
  clock.advance(-86_400_000);
  const again = published.current();
  finish();
  expect((await again).builtMs).toBe(clock.now());
  expect(builds).toHaveLength(2);
});

it("says when the store fails, and does not press it", async () => {
  const { clock, builds, failures, published, finish } = openPublished();
  const asked = published.current();
  builds[0]?.reject(new Error("connect ECONNREFUSED 10.0.0.7:6379"));
  await expect(asked).rejects.toMatchObject({
    reason: "STORE_UNAVAILABLE",
    message: "The open directory is not available: the gateway cannot read its store now.",
  });
  await expect(published.current()).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE", retryAfterMs: 5000 });
  expect([builds.length, failures.length]).toEqual([1, 1]);
  clock.advance(2000);
  const again = published.current();
  finish();
  expect((await again).builtMs).toBe(clock.now());
});

it("says that the network is too large", async () => {
  const { builds, published } = openPublished();
  const asked = published.current();
  builds[0]?.reject(new TooManySites());
  await expect(asked).rejects.toMatchObject({
    message: "The open directory is not available: the network has more than 100000 sites; ListSites lists them.",
  });
});

it("lets nobody wait for ever, and takes the files all the same when they are made", async () => {
  const { published, builds, finish } = openPublished(0);
  await expect(published.current()).rejects.toMatchObject({ reason: "STORE_UNAVAILABLE" });
  finish();
  await builds[0]?.promise;
  expect(await published.current()).toBeDefined();
  expect(builds).toHaveLength(1);
});
