import { emitKeypressEvents, type Key } from "node:readline";
import type { DeviceFact } from "@petak/agent/device";
import type { SimulatedDevice } from "@petak/agent/simulation";
import type { Colors } from "../terminal/colors.ts";
import type { LiveArea } from "../terminal/live-area.ts";
import { renderDevice, type TimedFact } from "./device-frame.ts";
import { doLine } from "./line-commands.ts";

/** Standard input of a terminal. */
export interface KeyStream extends NodeJS.ReadableStream {
  setRawMode?(isRaw: boolean): unknown;
}

/** A device in a terminal, with keys. */
export interface DeviceView {
  /** Takes a fact. */
  tell(fact: DeviceFact): void;
  /** Shows a device, and does what its keys say until somebody ends it or the signal aborts. Removes the frame. */
  run(device: SimulatedDevice, siteName: string): Promise<void>;
  /** Removes the frame. */
  end(): void;
}

export interface DeviceViewOptions {
  readonly area: LiveArea;
  readonly stdin: KeyStream;
  readonly colors: Colors;
  readonly siteId: string;
  readonly signal: AbortSignal;
  /** The time in ms since 1970. */
  readonly now: () => number;
}

/** How often a frame is drawn at most, and at least, in ms. */
const soonMs = 50;
const idleMs = 1000;
const factsKept = 50;
/** The longest code that is typed: longer than any token. */
const inputMax = 4096;

/** Makes the view. What is drawn is what the device says when it is drawn. */
export function createDeviceView({ area, stdin, colors, siteId, signal, now }: DeviceViewOptions): DeviceView {
  const facts: TimedFact[] = [];
  let shown: { device: SimulatedDevice; siteName: string } | undefined;
  let input = "";
  let timer: NodeJS.Timeout | undefined;
  let hasEnded = false;

  function draw(): void {
    timer = undefined;
    if (hasEnded) return;
    const device = shown?.device;
    const link = device?.link() ?? "unknown";
    const state = { siteName: shown?.siteName ?? "", link, unsent: device?.unsent() ?? 0, doors: device?.doors() ?? [] };
    area.draw(renderDevice({ ...state, siteId, facts, input, colors, ...area.size() }));
    timer = setTimeout(draw, idleMs).unref();
  }

  function drawSoon(): void {
    clearTimeout(timer);
    timer = setTimeout(draw, soonMs);
  }

  function say(message: string): void {
    facts.push({ event: "log", level: "warn", message, atMs: now() });
    drawSoon();
  }

  function enter(device: SimulatedDevice): void {
    const line = input.trim();
    input = "";
    if (line === "") return;
    const isCommand = /^(jam|free|link|power|sync|code|challenge)\b/.test(line);
    doLine(device, isCommand ? line : `code ${line}`).catch((error: Error) => say(error.message));
  }

  function press(device: SimulatedDevice, text: string | undefined, key: Key, quit: () => void): void {
    if (key.ctrl === true) {
      if (key.name === "c") quit();
      else if (key.name === "l") device.setLink(device.link() !== "cut");
      else if (key.name === "p") device.cutPower().catch((error: Error) => say(error.message));
      else if (key.name === "r") void device.syncNow();
      else if (key.name === "u") input = "";
    } else if (key.name === "return" || key.name === "enter") enter(device);
    else if (key.name === "backspace") input = input.slice(0, -1);
    else if (text !== undefined && /^[ -~]$/.test(text)) input = (input + text).slice(0, inputMax);
    drawSoon();
  }

  return {
    tell(fact) {
      facts.push({ ...fact, atMs: now() });
      facts.splice(0, facts.length - factsKept);
      drawSoon();
    },
    async run(device, siteName) {
      shown = { device, siteName };
      draw();
      await new Promise<void>((resolve) => {
        const onKey = (text: string | undefined, key: Key) => press(device, text, key, resolve);
        emitKeypressEvents(stdin);
        stdin.setRawMode?.(true);
        stdin.on("keypress", onKey);
        stdin.resume();
        signal.addEventListener("abort", () => resolve(), { once: true });
        if (signal.aborted) resolve();
      });
      shown = undefined;
      stdin.removeAllListeners("keypress");
      stdin.setRawMode?.(false);
      stdin.pause();
    },
    end() {
      hasEnded = true;
      clearTimeout(timer);
      area.clear();
    },
  };
}
