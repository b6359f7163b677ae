import { render } from "lit";
import { App } from "./app/app.ts";
import { follow } from "./app/follow.ts";
import { readRoute } from "./app/route.ts";
import { keptLanguage, ownTabletId } from "./app/tablet.ts";
import { createAgentPort } from "./counter/agent-port.ts";
import type { CounterPort } from "./counter/port.ts";
import { createPracticePort } from "./counter/practice/practice-port.ts";
import { canDecide } from "./lease/can-decide.ts";
import { openDisk } from "./outbox/disk.ts";
import { createMemory } from "./outbox/memory.ts";
import type { TabletStore } from "./outbox/tablet-store.ts";
import { StoreCamera } from "./scan/camera.ts";
import { cleanCode } from "./scan/clean-code.ts";
import { createWedge } from "./scan/wedge.ts";
import { go } from "./screens/frame.ts";
import { scanned } from "./screens/scanned.ts";
import { view } from "./screens/view.ts";

/** The app on the page, and how to end it. */
interface Running {
  readonly app: App;
  readonly stop: () => void;
}

const tabletId = ownTabletId();
const page = document.body;
let running: Running | undefined;
let isDrawing = false;
let shownRoute = "";

/**
 * Draws once for all changes of a moment. The head of a new screen has the focus, so that keyboards and screen readers begin there; where there is nothing but to type,
 * the field has it.
 */
function draw(): void {
  if (isDrawing) return;
  isDrawing = true;
  queueMicrotask(() => {
    isDrawing = false;
    if (running === undefined) return;
    const { app } = running;
    const { language } = app.say;
    document.documentElement.lang = language.tag;
    render(view(app, practice), page);
    const title = page.querySelector("h1");
    document.title = title?.textContent ?? "";
    const route = `${app.route.name}/${app.route.id}/${app.counter?.clerk === undefined}/${app.view.clerkId}`;
    if (route === shownRoute) return;
    shownRoute = route;
    const first = page.querySelector<HTMLElement>("input[autofocus]") ?? title;
    first?.focus({ preventScroll: true });
    page.querySelector("main")?.scrollTo(0, 0);
  });
}

async function start(port: CounterPort, store: TabletStore): Promise<void> {
  running?.stop();
  const end = new AbortController();
  const languages = [running?.app.say.language.tag, keptLanguage(), ...navigator.languages];
  const app = new App({ port, store, tabletId, languages, now: Date.now, steadyMs: () => performance.now(), onChange: draw });
  running = { app, stop: () => end.abort() };
  app.goTo(readRoute(location.hash));
  await app.open();
  void follow(app, end.signal);
}

const practice = {
  begin(): void {
    const name = running?.app.counter?.name ?? "Kedai Rahmat";
    go("today");
    void start(createPracticePort(name, tabletId, Date.now), createMemory());
  },
  end(): void {
    go("today");
    void startWithAgent();
  },
};

async function startWithAgent(): Promise<void> {
  await start(createAgentPort(location.origin, tabletId, await canDecide()), await openDisk());
}

customElements.define("store-camera", StoreCamera);
// A tablet that is put aside keeps no other from handing over.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") void running?.app.putAside();
});
addEventListener("hashchange", () => running?.app.goTo(readRoute(location.hash)));

const wedge = createWedge();
addEventListener(
  "keydown",
  (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const { code, isScanner } = wedge({ key: event.key, atMs: event.timeStamp });
    if (isScanner) event.preventDefault();
    const text = code === undefined ? "" : cleanCode(code);
    if (text === "" || running === undefined) return;
    // The first characters went into the field that had the focus, before anybody could know.
    running.app.setDraft({ typed: undefined });
    scanned(running.app, text);
  },
  { capture: true },
);

// Without it a reload needs the agent. Browsers have none where the page is not served by HTTPS, or its certificate is not installed.
if (isSecureContext) navigator.serviceWorker?.register("/worker.js").catch(() => {});

if (location.hash === "#/practice") practice.begin();
else await startWithAgent();
