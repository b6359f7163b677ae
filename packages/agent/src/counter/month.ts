import type { Site } from "@petak/protocol";

/** The month at a site, `2026-11`. */
export function monthOf(site: Pick<Site, "timeZone"> | undefined, ms: number): string {
  const timeZone = site === undefined || site.timeZone === "" ? "UTC" : site.timeZone;
  const parts = new Intl.DateTimeFormat("en", { timeZone, year: "numeric", month: "2-digit" }).formatToParts(ms);
  const part = (type: string) => parts.find((one) => one.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}`;
}
