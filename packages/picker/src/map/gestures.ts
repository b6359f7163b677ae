/** What hands and keys do to a map. */
export interface MapMoves {
  /** The map follows a hand. In px. */
  pan(dx: number, dy: number): void;
  /** @param fromMiddle the point that stays, in px from the map's middle @param isSmooth whether it takes a moment, as for a key or a button */
  zoom(by: number, fromMiddle: readonly [x: number, y: number], isSmooth: boolean): void;
  /** A step of a key. In px. */
  step(dx: number, dy: number): void;
}

/** A hand that moves less than this has pressed, not dragged, in px. */
const pressPx = 5;
const stepPx = 80;
const wheelZoomPerPx = 1 / 300;

const steps: Readonly<Record<string, readonly [dx: number, dy: number]>> = {
  ArrowLeft: [stepPx, 0],
  ArrowRight: [-stepPx, 0],
  ArrowUp: [0, stepPx],
  ArrowDown: [0, -stepPx],
};

/**
 * Lets hands and keys move a map: drag, two fingers, a double press, the wheel with Ctrl or ⌘ (without, the page scrolls), the arrows, + and -. Tab is left
 * alone.
 *
 * @param surface what is dragged @param signal ends it
 */
export function followGestures(surface: HTMLElement, moves: MapMoves, signal: AbortSignal): void {
  const fromMiddle = ({ clientX, clientY }: MouseEvent): [number, number] => {
    const { left, top, width, height } = surface.getBoundingClientRect();
    return [clientX - left - width / 2, clientY - top - height / 2];
  };
  followPointers(surface, moves, fromMiddle, signal);
  surface.addEventListener("dblclick", (event) => moves.zoom(event.shiftKey ? -1 : 1, fromMiddle(event), true), { signal });
  surface.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      // Lines and pages, in which some mice count, are taken for so many px.
      const px = event.deltaY * ([1, 20, 300][event.deltaMode] ?? 1);
      moves.zoom(Math.max(-1, Math.min(1, -px * wheelZoomPerPx)), fromMiddle(event), false);
    },
    { signal, passive: false },
  );
  surface.addEventListener(
    "keydown",
    (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const step = steps[event.key];
      const zoom = event.key === "+" || event.key === "=" ? 1 : event.key === "-" ? -1 : 0;
      if (step === undefined && zoom === 0) return;
      event.preventDefault();
      if (step === undefined) moves.zoom(zoom, [0, 0], true);
      else moves.step(...step);
    },
    { signal },
  );
}

type FromMiddle = (event: MouseEvent) => [x: number, y: number];

/** One pointer drags; of two, the distance zooms and the middle drags. */
function followPointers(surface: HTMLElement, moves: MapMoves, fromMiddle: FromMiddle, signal: AbortSignal): void {
  const pointers = new Map<number, [x: number, y: number]>();
  let [pressedAt, isDrag]: [[number, number], boolean] = [[0, 0], false];
  surface.addEventListener(
    "pointerdown",
    (event) => {
      if (event.button !== 0) return;
      if (pointers.size === 0) [pressedAt, isDrag] = [fromMiddle(event), false];
      pointers.set(event.pointerId, fromMiddle(event));
    },
    { signal },
  );
  surface.addEventListener(
    "pointermove",
    (event) => {
      const before = pointers.get(event.pointerId);
      if (before === undefined) return;
      const now = fromMiddle(event);
      if (!isDrag && pointers.size === 1 && Math.hypot(now[0] - pressedAt[0], now[1] - pressedAt[1]) < pressPx) return;
      if (!isDrag) surface.setPointerCapture(event.pointerId);
      isDrag = true;
      pointers.set(event.pointerId, now);
      const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
      const share = other === undefined ? 1 : 0.5;
      moves.pan((now[0] - before[0]) * share, (now[1] - before[1]) * share);
      if (other === undefined) return;
      const [was, is] = [before, now].map(([x, y]) => Math.max(1, Math.hypot(x - other[0], y - other[1])));
      moves.zoom(Math.log2((is ?? 1) / (was ?? 1)), [(now[0] + other[0]) / 2, (now[1] + other[1]) / 2], false);
    },
    { signal },
  );
  for (const name of ["pointerup", "pointercancel"] as const) {
    surface.addEventListener(name, ({ pointerId }) => pointers.delete(pointerId), { signal });
  }
  // The end of a drag over a marker is no press of it.
  surface.addEventListener("click", (event) => isDrag && event.stopPropagation(), { signal, capture: true });
}
