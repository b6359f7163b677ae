/** The service worker: it keeps the app's files on the tablet, so that a reload works while the agent cannot be reached. Calls are not its business. */

/** The paths of the app's files, and a name that changes with them. The bundler writes both in. */
declare const appFiles: readonly string[];
declare const appVersion: string;

interface ExtendableEvent extends Event {
  waitUntil(done: Promise<unknown>): void;
}

interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

interface WorkerScope {
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
}

const scope = globalThis as unknown as WorkerScope;
const cacheName = `petak-store-${appVersion}`;

/** Keeps all files together, or none: a half of one version and a half of another would be worse than neither. */
async function keepFiles(): Promise<void> {
  const cache = await caches.open(cacheName);
  await cache.addAll(appFiles.map((path) => new Request(path, { cache: "no-cache" })));
  await scope.skipWaiting();
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name !== cacheName).map((name) => caches.delete(name)));
  await scope.clients.claim();
}

async function answer(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(cacheName);
  return (await cache.match(path)) ?? (await fetch(request));
}

addEventListener("install", (event) => (event as ExtendableEvent).waitUntil(keepFiles()));
addEventListener("activate", (event) => (event as ExtendableEvent).waitUntil(forgetOthers()));
addEventListener("fetch", (event) => {
  const { request } = event as FetchEvent;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin || !appFiles.includes(pathname)) return;
  (event as FetchEvent).respondWith(answer(pathname, request));
});
