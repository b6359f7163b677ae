import { App } from "../app/app.ts";
import type { CounterPort } from "../counter/port.ts";
import { createPracticePort } from "../counter/practice/practice-port.ts";
import type { TabletStore } from "../outbox/tablet-store.ts";

export const tabletId = "0b5f0a34-1f0e-4d52-9a0e-6a4f1d9c2b77";
export const nowMs = Date.UTC(2026, 10, 27, 9);

/** The made-up store. */
export function madeUpStore(): CounterPort {
  return createPracticePort("Kedai Rahmat", tabletId, () => nowMs);
}

/** A page of the app that has heard from its store, as after each load. */
export async function openApp(port: CounterPort, store: TabletStore): Promise<App> {
  const app = new App({ port, store, tabletId, languages: ["en"], now: () => nowMs, onChange: () => {} });
  await app.open();
  await port.getCounter().then(
    (counter) => app.heard(counter),
    () => app.lost(),
  );
  return app;
}
