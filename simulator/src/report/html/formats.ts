/**
 * How figures are printed. Each function stands for itself, because the page's script has the text of some of them. What is not known is a dash.
 */
export const formats = {
  /** 12,345 */
  count(value: unknown): string {
    return typeof value === "number" ? Math.round(value).toLocaleString("en-US") : "–";
  },
  /** Of 0.4567: 45.7 % */
  share(value: unknown): string {
    return typeof value === "number" ? `${(value * 100).toFixed(1)} %` : "–";
  },
  /** 471 m, 1.24 km */
  metres(value: unknown): string {
    if (typeof value !== "number") return "–";
    return Math.abs(value) < 1000 ? `${Math.round(value)} m` : `${(value / 1000).toLocaleString("en-US", { maximumFractionDigits: 2 })} km`;
  },
  /** Real ms with three digits: 0.912 ms, 12.3 ms, 1.24 s, 15.0 s, 204 s */
  latency(value: unknown): string {
    if (typeof value !== "number") return "–";
    const threeDigits = (number: number) => (number >= 100 ? number.toFixed(0) : number.toPrecision(3));
    return value < 999.5 ? `${threeDigits(value)} ms` : `${threeDigits(value / 1000)} s`;
  },
  /** Of minutes: 35 min, 9 h 12 min, 2 d 4 h */
  minutes(value: unknown): string {
    if (typeof value !== "number") return "–";
    const minutes = Math.round(value);
    const [days, hours, rest] = [Math.floor(minutes / 1440), Math.floor((minutes % 1440) / 60), minutes % 60];
    const parts =
      days > 0 ? [`${days} d`, hours > 0 && `${hours} h`] : [hours > 0 && `${hours} h`, (rest > 0 || hours === 0) && `${rest} min`];
    return parts.filter((part) => part !== false).join(" ");
  },
  /** Of ms: 4 s, 15 min 18 s, 2 h 5 min */
  duration(value: unknown): string {
    if (typeof value !== "number") return "–";
    const seconds = Math.round(value / 1000);
    const parts = [
      [Math.floor(seconds / 86_400), "d"],
      [Math.floor(seconds / 3600) % 24, "h"],
      [Math.floor(seconds / 60) % 60, "min"],
      [seconds % 60, "s"],
    ] as const;
    const first = parts.findIndex(([number]) => number > 0);
    if (first < 0) return `${Math.round(value)} ms`;
    return parts
      .slice(first, first + 2)
      .filter(([number]) => number > 0)
      .map(([number, unit]) => `${number} ${unit}`)
      .join(" ");
  },
  /** Three digits, or all of a whole number: 0.26, 12.5, 1,234 */
  number(value: unknown): string {
    if (typeof value !== "number") return "–";
    return value.toLocaleString("en-US", Math.abs(value) >= 100 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: 3 });
  },
  /** A difference of shares: of 0.0123: 1.2 points */
  points(value: unknown): string {
    return typeof value === "number" ? `${(value * 100).toFixed(1)} points` : "–";
  },
  /** A ratio: × 1.12 */
  ratio(value: unknown): string {
    return typeof value === "number" ? `× ${value >= 100 ? value.toFixed(0) : value.toFixed(2)}` : "–";
  },
  /** A ratio as a change: of 0.28: −72.0 %; of 1.05: +5.0 % */
  change(value: unknown): string {
    if (typeof value !== "number") return "–";
    const percent = ((value - 1) * 100).toFixed(1);
    return Number(percent) === 0 ? "±0.0 %" : `${Number(percent) > 0 ? "+" : "−"}${percent.replace("-", "")} %`;
  },
  /** 84.2 MB */
  bytes(value: unknown): string {
    if (typeof value !== "number") return "–";
    return value < 1e9 ? `${(value / 1e6).toFixed(1)} MB` : `${(value / 1e9).toFixed(2)} GB`;
  },
  /** Of seconds: 1.2 ms */
  seconds(value: unknown): string {
    return typeof value === "number" ? `${(value * 1000).toLocaleString("en-US", { maximumFractionDigits: 1 })} ms` : "–";
  },
  /** 1,234/s */
  perSecond(value: unknown): string {
    return typeof value === "number" ? `${value.toLocaleString("en-US", { maximumFractionDigits: value < 10 ? 1 : 0 })}/s` : "–";
  },
  /** Of 2026-11-09T08:00: Mon 9 Nov, 08:00 */
  time(value: unknown): string {
    if (typeof value !== "string") return "–";
    const date = new Date(`${value.slice(0, 16)}Z`);
    const [days, months] = ["Sun Mon Tue Wed Thu Fri Sat", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"].map((names) =>
      names.split(" "),
    );
    return `${days?.[date.getUTCDay()]} ${date.getUTCDate()} ${months?.[date.getUTCMonth()]}, ${value.slice(11, 16)}`;
  },
  /** Of 2026-11-08T16:00:00.000Z: 8 November 2026 */
  date(value: unknown): string {
    if (typeof value !== "string") return "–";
    return new Date(value).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
  },
  /** As it is; lists with commas. */
  text(value: unknown): string {
    return value === null || value === undefined ? "–" : Array.isArray(value) ? value.join(", ") : String(value);
  },
  /** A name that is not broken into lines. */
  id(value: unknown): string {
    return String(value);
  },
  /** As JSON. */
  json(value: unknown): string {
    return JSON.stringify(value, null, 1);
  },
} as const;

/** A format; with a plus: of a difference, with its sign. */
export type Format = keyof typeof formats | `+${keyof typeof formats}`;

/** Prints a figure. */
export function formatted(format: Format, value: unknown): string {
  const name = format.replace("+", "") as keyof typeof formats;
  if (name === format || typeof value !== "number") return formats[name](value);
  const text = formats[name](Math.abs(value));
  return text === formats[name](0) ? `±${text}` : `${value > 0 ? "+" : "−"}${text}`;
}
