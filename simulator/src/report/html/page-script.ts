/// <reference lib="dom" />
import type { Format } from "./formats.ts";

/** The class of a cell by how full it is; the script of the page has this function's text. */
export function levelOf(inUse: number | null, installed: number): string {
  if (installed === 0) return "empty";
  return inUse === null ? "unknown" : `l${Math.min(4, Math.floor((inUse / installed) * 5))}`;
}

/** What the page has of the figures for its map, at their paths. */
interface MapData {
  readonly steps: { readonly starts: readonly string[] };
  readonly cells: readonly {
    readonly around: string | null;
    readonly installed: number;
    readonly inUseBySteps: readonly (number | null)[];
    readonly wantedBySteps: readonly number[];
    readonly refusedBySteps: readonly number[];
  }[];
  readonly centres: readonly (readonly [x: number, y: number])[];
}

/**
 * The script of the page: it moves the map through the hours. Its text is embedded in the page as it stands, so it names nothing of other modules but its
 * parameters.
 */
export function pageScript(
  formats: Pick<Record<Format, (value: unknown) => string>, "count" | "share" | "time" | "text">,
  levelOf: (inUse: number | null, installed: number) => string,
): void {
  const byId = (id: string) => document.getElementById(id) as HTMLElement;
  const data = JSON.parse(byId("data").textContent ?? "") as MapData;
  const slider = byId("step") as HTMLInputElement;
  const play = byId("play");
  const refusals = byId("show-refusals") as HTMLInputElement;
  const { cells, centres } = data;
  const hexagons = [...byId("cells").children];
  const svg = "http://www.w3.org/2000/svg";
  const mostRefused = Math.max(5, ...cells.map(({ refusedBySteps }) => Math.max(0, ...refusedBySteps)));
  let step = Number(slider.value);
  let timer: ReturnType<typeof setInterval> | undefined;
  let pointed: number | undefined;

  /** An element that prints a figure, as the page's other ones. */
  function figure(path: string, format: "count" | "share" | "time" | "text"): HTMLElement {
    let value: unknown = data;
    for (const name of path.split(".")) value = (value as Record<string, unknown> | null | undefined)?.[name];
    const element = document.createElement("data");
    element.dataset.figure = path;
    element.dataset.format = format;
    element.textContent = formats[format](value);
    return element;
  }

  function circles(at: number, radius: number): SVGElement[] {
    return cells.flatMap(({ refusedBySteps }, cell) => {
      const refused = refusedBySteps[at] ?? 0;
      if (refused === 0) return [];
      const circle = document.createElementNS(svg, "circle");
      const [x, y] = centres[cell] ?? [0, 0];
      const attributes = { class: "refusal", cx: x, cy: y, r: radius * Math.sqrt(refused / mostRefused) };
      for (const [name, value] of Object.entries(attributes)) circle.setAttribute(name, String(value));
      return [circle];
    });
  }

  /** What is known of a cell in this hour. */
  function describe(cell: number): (HTMLElement | string)[] {
    const known = cells[cell];
    if (known === undefined) return [];
    const { around, installed, inUseBySteps, wantedBySteps, refusedBySteps } = known;
    const places: (HTMLElement | string)[] =
      installed === 0
        ? ["No site here", around === null ? "" : ", near ", around === null ? "" : figure(`cells.${cell}.around`, "text")]
        : [
            around === null ? "" : figure(`cells.${cell}.around`, "text"),
            ": ",
            (inUseBySteps[step] ?? null) === null ? "not known" : figure(`cells.${cell}.inUseBySteps.${step}`, "count"),
            " of ",
            figure(`cells.${cell}.installed`, "count"),
            " places in use",
          ];
    const count = (name: "wantedBySteps" | "refusedBySteps", numbers: readonly number[]) =>
      step < numbers.length ? figure(`cells.${cell}.${name}.${step}`, "count") : "none";
    return [
      ...places,
      ". Wanted a place here in this hour: ",
      count("wantedBySteps", wantedBySteps),
      "; found none: ",
      count("refusedBySteps", refusedBySteps),
      ".",
    ];
  }

  function showFullest(): void {
    const fullness = (cell: number) => (cells[cell]?.inUseBySteps[step] ?? 0) / Math.max(1, cells[cell]?.installed ?? 0);
    const first = [...cells.keys()]
      .filter((cell) => (cells[cell]?.installed ?? 0) > 0)
      .sort((a, b) => fullness(b) - fullness(a) || a - b)
      .slice(0, 5);
    const items = first.map((cell) => {
      const item = document.createElement("li");
      const name = document.createElement("bdi");
      name.append(figure(`cells.${cell}.around`, "text"));
      const numbers = document.createElement("span");
      const inUse = cells[cell]?.inUseBySteps[step] ?? null;
      numbers.append(
        inUse === null ? "not known" : figure(`cells.${cell}.inUseBySteps.${step}`, "count"),
        " of ",
        figure(`cells.${cell}.installed`, "count"),
      );
      item.append(name, numbers);
      return item;
    });
    byId("fullest").replaceChildren(...items);
  }

  function show(next: number): void {
    step = next;
    slider.value = String(step);
    slider.setAttribute("aria-valuetext", formats.time(data.steps.starts[step]));
    for (const [cell, hexagon] of hexagons.entries()) {
      hexagon.setAttribute("class", levelOf(cells[cell]?.inUseBySteps[step] ?? null, cells[cell]?.installed ?? 0));
    }
    byId("refusals").replaceChildren(...(refusals.checked ? circles(step, 20) : []));
    const at = `bySteps.${step}`;
    byId("hour").replaceChildren(figure(`steps.starts.${step}`, "time"));
    byId("now-share").replaceChildren(figure(`occupancy.${at}.inUseShare`, "share"));
    byId("now-occupied").replaceChildren(figure(`occupancy.${at}.occupied`, "count"));
    byId("now-held").replaceChildren(figure(`occupancy.${at}.held`, "count"));
    byId("now-wanted").replaceChildren(figure(`demand.${at}.wanted`, "count"));
    byId("now-refused").replaceChildren(figure(`demand.${at}.refused`, "count"));
    showFullest();
    if (pointed !== undefined) byId("cell").replaceChildren(...describe(pointed));
  }

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    setPlay("▶", "Play", false);
  }

  function setPlay(sign: string, text: string, isPressed: boolean): void {
    const icon = document.createElement("span");
    icon.setAttribute("aria-hidden", "true");
    icon.textContent = sign;
    play.replaceChildren(icon, ` ${text}`);
    play.setAttribute("aria-pressed", String(isPressed));
  }

  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  refusals.addEventListener("change", () => show(step));
  play.addEventListener("click", () => {
    if (timer !== undefined) return stop();
    setPlay("❚❚", "Pause", true);
    if (step >= Number(slider.max)) show(0);
    timer = setInterval(() => (step < Number(slider.max) ? show(step + 1) : stop()), 500);
  });
  for (const kind of ["pointermove", "pointerdown"] as const) {
    byId("cells").addEventListener(kind, ({ target }) => {
      const cell = hexagons.indexOf(target as Element);
      if (cell < 0 || cell === pointed) return;
      pointed = cell;
      byId("cell").replaceChildren(...describe(cell));
    });
  }
  // Small maps for print: one path for each shade.
  for (const small of document.querySelectorAll<HTMLElement>(".hours figure")) {
    const at = Number(small.dataset.step);
    const byLevel = new Map<string, string>();
    for (const [cell, hexagon] of hexagons.entries()) {
      const level = levelOf(cells[cell]?.inUseBySteps[at] ?? null, cells[cell]?.installed ?? 0);
      byLevel.set(level, (byLevel.get(level) ?? "") + (hexagon.getAttribute("d") ?? ""));
    }
    const shapes = [...byLevel].map(([level, d]) => {
      const shape = document.createElementNS(svg, "path");
      shape.setAttribute("class", level);
      shape.setAttribute("d", d);
      return shape;
    });
    small.querySelector("svg")?.append(...shapes, ...circles(at, 30));
  }
  for (const hidden of document.querySelectorAll<HTMLElement>(".control, .check")) hidden.hidden = false;
  show(step);
}
