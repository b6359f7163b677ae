import {
  type Camera,
  fitted,
  leastZoom,
  metresPerPx,
  mostZoom,
  onScreen,
  panned,
  pointOf,
  type Size,
  type World,
  worldOf,
  zoomed,
} from "./camera.ts";
import { createElements } from "./elements.ts";
import { followGestures } from "./gestures.ts";
import { createInks, type Inks } from "./inks.ts";
import { roundDown, roundUp, speakLengths } from "./lengths.ts";
import { Markers } from "./markers.ts";
import { paintRingsAndTowns, paintShapes, type Rings } from "./paint.ts";
import type { CreateMap, MapSite, PickerMap, PickerMapOptions, Point } from "./picker-map.ts";
import type { MapShapes } from "./shapes/read-shapes.ts";
import type { StyledBase } from "./styled-base.ts";

/** The map shows the nearest sites at first: so many of those given first, and no closer than at this zoom. */
const sitesAtFirst = 6;
const zoomAtFirst = 15.5;

const smoothMs = 150;
const paddingPx = 56;
const scaleBarPx = 110;
const leastRingPx = 56;
const mostRings = 3;
/** Nobody goes farther for a parcel: from a larger step on there are no rings. */
const mostRingMetres = 20_000;

/** The part of the map's smaller side by which it must be off the shopper's point before a search there is offered. */
const searchShare = 0.2;

/**
 * Makes the map. Its own shapes are drawn on a canvas, without WebGL, worker or request; a style is drawn by MapLibre once it is loaded, and where it cannot
 * be, the map's own shapes stay.
 *
 * Screen readers meet the map's name and its buttons, but no markers: the list says the same, in order.
 */
export const createMap: CreateMap = async (host, options) =>
  new CanvasMap(host, options, (await import("./shapes/bundled-shapes.ts")).shapes);

class CanvasMap implements PickerMap {
  readonly #options: PickerMapOptions;
  readonly #shapes: MapShapes;
  readonly #elements;
  readonly #context: CanvasRenderingContext2D;
  readonly #readInks: () => Inks;
  readonly #markers = new Markers();
  readonly #ended = new AbortController();
  readonly #reducesMotion = matchMedia("(prefers-reduced-motion: reduce)");
  readonly #lengthOf;
  #inks: Inks | undefined;
  #size: Size = { width: 0, height: 0 };
  #camera: Camera = { x: 0.5, y: 0.5, zoom: leastZoom };
  #origin: World | undefined;
  #shown: { origin: Point; sites: readonly MapSite[]; chosenId: string | undefined } | undefined;
  /** Whether the camera still has to be put where the sites are: a map that has no size yet cannot. */
  #isToBeFitted = false;
  #styled: StyledBase | undefined;
  #isStyledReady = false;
  #frame = 0;
  #motion: { from: Camera; to: Camera; startMs: number | undefined } | undefined;

  constructor(host: HTMLElement, options: PickerMapOptions, shapes: MapShapes) {
    this.#options = options;
    this.#shapes = shapes;
    this.#lengthOf = speakLengths(options.language);
    this.#elements = createElements(host, options.words);
    const { root, surface, canvas, zoomIn, zoomOut, search } = this.#elements;
    surface.append(this.#markers.layer);
    this.#context = canvas.getContext("2d") as CanvasRenderingContext2D;
    this.#readInks = createInks(root);
    const { signal } = this.#ended;
    const sizes = new ResizeObserver(() => this.#measure());
    sizes.observe(root);
    signal.addEventListener("abort", () => sizes.disconnect());
    for (const feature of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(feature).addEventListener("change", () => this.#restyle(), { signal });
    }
    followGestures(
      surface,
      {
        pan: (dx, dy) => this.#go(panned(this.#camera, dx, dy)),
        zoom: (by, fromMiddle, isSmooth) => this.#zoom(by, fromMiddle, isSmooth),
        step: (dx, dy) => this.#goSmoothly(panned(this.#motion?.to ?? this.#camera, dx, dy)),
      },
      signal,
    );
    zoomIn.addEventListener("click", () => this.#zoom(1, [0, 0], true), { signal });
    zoomOut.addEventListener("click", () => this.#zoom(-1, [0, 0], true), { signal });
    const searchHere = (): void => {
      // The button goes away.
      surface.focus();
      options.onMove(pointOf(this.#camera));
    };
    search.addEventListener("click", searchHere, { signal });
    this.#markers.layer.addEventListener("click", ({ target }) => this.#pick(target as Element), { signal });
    if (options.style !== undefined) void this.#loadStyle(options.style);
  }

  show(origin: Point, sites: readonly MapSite[], chosenId: string | undefined): void {
    const before = this.#shown;
    this.#shown = { origin, sites, chosenId };
    this.#origin = worldOf(origin);
    const isElsewhere = before?.origin.latitude !== origin.latitude || before.origin.longitude !== origin.longitude;
    if (isElsewhere || (before !== undefined && offered(before.sites).length === 0)) this.#isToBeFitted = true;
    this.#restyle();
    this.#markers.show(sites, chosenId);
    this.#fit();
    if (chosenId !== before?.chosenId) this.#keepInSight(sites.find(({ siteId }) => siteId === chosenId));
  }

  destroy(): void {
    this.#ended.abort();
    cancelAnimationFrame(this.#frame);
    this.#styled?.destroy();
    this.#elements.root.remove();
  }

  async #loadStyle(style: string | object): Promise<void> {
    const { root, styled } = this.#elements;
    try {
      const { createStyledBase } = await import("./styled-base.ts");
      if (this.#ended.signal.aborted) return;
      const onReady = () => {
        this.#isStyledReady = true;
        root.classList.add("is-styled");
        this.#paintSoon();
      };
      this.#styled = createStyledBase(styled, { style, assetsUrl: this.#options.assetsUrl, camera: this.#camera, onReady });
    } catch {
      // No WebGL, or the file is missing. The map's own shapes are there already.
      styled.replaceChildren();
    }
  }

  #measure(): void {
    const { root, canvas } = this.#elements;
    this.#size = { width: root.clientWidth, height: root.clientHeight };
    const perPx = Math.min(devicePixelRatio, 2);
    canvas.width = Math.round(this.#size.width * perPx);
    canvas.height = Math.round(this.#size.height * perPx);
    this.#context.setTransform(perPx, 0, 0, perPx, 0, 0);
    this.#fit();
    // In the same frame: a canvas is empty after each change of its size.
    this.#paint();
  }

  #restyle(): void {
    this.#inks = this.#readInks();
    this.#paintSoon();
  }

  #fit(): void {
    if (!this.#isToBeFitted || this.#origin === undefined || this.#size.width === 0) return;
    this.#isToBeFitted = false;
    const { sites = [] } = this.#shown ?? {};
    const first = [offered(sites), sites].find((each) => each.length > 0) ?? [];
    this.#go(fitted(this.#origin, first.slice(0, sitesAtFirst).map(worldOf), this.#size, paddingPx, zoomAtFirst));
  }

  /** Moves the map by as little as shows a site. */
  #keepInSight(site: MapSite | undefined): void {
    if (site === undefined || this.#size.width === 0) return;
    const [x, y] = onScreen(this.#camera, this.#size, worldOf(site));
    const over = (at: number, px: number) => Math.max(0, paddingPx - at) - Math.max(0, at - (px - paddingPx));
    const [dx, dy] = [over(x, this.#size.width), over(y, this.#size.height)];
    if (dx !== 0 || dy !== 0) this.#goSmoothly(panned(this.#camera, dx, dy));
  }

  #zoom(by: number, fromMiddle: readonly [x: number, y: number], isSmooth: boolean): void {
    const to = zoomed(isSmooth ? (this.#motion?.to ?? this.#camera) : this.#camera, by, fromMiddle);
    if (isSmooth) this.#goSmoothly(to);
    else this.#go(to);
  }

  #go(camera: Camera): void {
    this.#motion = undefined;
    this.#camera = camera;
    this.#paintSoon();
  }

  #goSmoothly(to: Camera): void {
    if (this.#reducesMotion.matches) {
      this.#go(to);
      return;
    }
    this.#motion = { from: this.#camera, to, startMs: undefined };
    this.#paintSoon();
  }

  #paintSoon(): void {
    if (this.#frame === 0 && !this.#ended.signal.aborted) this.#frame = requestAnimationFrame((nowMs) => this.#paintFrame(nowMs));
  }

  #paintFrame(nowMs: number): void {
    this.#frame = 0;
    const motion = this.#motion;
    if (motion !== undefined) {
      motion.startMs ??= nowMs;
      const part = Math.min(1, (nowMs - motion.startMs) / smoothMs);
      this.#camera = between(motion.from, motion.to, 1 - (1 - part) ** 2);
      if (part === 1) this.#motion = undefined;
      else this.#paintSoon();
    }
    this.#paint();
  }

  #paint(): void {
    const { width, height } = this.#size;
    if (this.#inks === undefined || width === 0) return;
    const sheet = { context: this.#context, size: this.#size, camera: this.#camera, inks: this.#inks };
    this.#context.clearRect(0, 0, width, height);
    if (!this.#isStyledReady) paintShapes(sheet, this.#shapes);
    paintRingsAndTowns(sheet, this.#rings(), this.#isStyledReady ? [] : this.#shapes.towns);
    if (this.#origin !== undefined) {
      const [x, y] = onScreen(this.#camera, this.#size, this.#origin);
      this.#elements.you.style.transform = `translate(${x}px, ${y}px)`;
    }
    this.#markers.place(this.#camera, this.#size);
    this.#styled?.show(this.#camera);
    this.#sayState();
  }

  #rings(): Rings | undefined {
    if (this.#origin === undefined) return undefined;
    const mPerPx = metresPerPx(this.#origin.y, this.#camera.zoom);
    const stepMetres = roundUp(leastRingPx * mPerPx);
    if (stepMetres > mostRingMetres) return undefined;
    const lengths = Array.from({ length: mostRings }, (_, index) => this.#lengthOf(stepMetres * (index + 1)));
    const isCovered = (x: number, y: number, width: number) => this.#markers.covers(this.#camera, this.#size, x, y, width);
    return { origin: this.#origin, lengths, pxPerMetre: 1 / mPerPx, isCovered };
  }

  /** The scale, and which buttons have something to do. */
  #sayState(): void {
    const { scale, zoomIn, zoomOut, search, you } = this.#elements;
    const mPerPx = metresPerPx(this.#camera.y, this.#camera.zoom);
    const bar = this.#lengthOf(roundDown(scaleBarPx * mPerPx));
    if (scale.textContent !== bar.text) scale.textContent = bar.text;
    scale.style.width = `${Math.round(bar.metres / mPerPx)}px`;
    zoomIn.ariaDisabled = String(this.#camera.zoom >= mostZoom);
    zoomOut.ariaDisabled = String(this.#camera.zoom <= leastZoom);
    you.hidden = this.#origin === undefined;
    search.hidden = this.#origin === undefined || !this.#isAway(this.#origin);
  }

  #isAway(origin: World): boolean {
    const { width, height } = this.#size;
    const [x, y] = onScreen(this.#camera, this.#size, origin);
    return Math.hypot(x - width / 2, y - height / 2) > searchShare * Math.min(width, height);
  }

  #pick(target: Element): void {
    const siteId = target.closest<HTMLElement>(".map-marker")?.dataset.siteId;
    if (siteId !== undefined) this.#options.onPick(siteId);
  }
}

/** The sites that the map makes room for: what is not offered may be far away. */
const offered = (sites: readonly MapSite[]): readonly MapSite[] => sites.filter(({ state }) => state !== "left-out");

/** Between two cameras, such that the place around which one zooms stays. */
function between(from: Camera, to: Camera, part: number): Camera {
  const zoom = from.zoom + (to.zoom - from.zoom) * part;
  const isZoom = Math.abs(to.zoom - from.zoom) > 1e-6;
  const share = isZoom ? (1 - 2 ** (from.zoom - zoom)) / (1 - 2 ** (from.zoom - to.zoom)) : part;
  const x = to.x - Math.round(to.x - from.x);
  return { x: from.x + (x - from.x) * share, y: from.y + (to.y - from.y) * share, zoom };
}
