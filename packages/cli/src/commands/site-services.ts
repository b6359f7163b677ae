import { SiteService } from "@petak/protocol";
import { InvalidArgumentError } from "commander";

const services: readonly [name: string, service: SiteService][] = Object.entries(SiteService)
  .filter(([, value]) => value !== SiteService.UNSPECIFIED)
  .map(([name, value]) => [name.toLowerCase(), value as SiteService]);

/** The names of all services of sites as the command line has them, e.g. `age_check`. */
export const siteServiceNames: readonly string[] = services.map(([name]) => name);

/** The name of a service. */
export function siteServiceName(service: SiteService): string {
  return services.find(([, value]) => value === service)?.[0] ?? String(service);
}

/** Reads the services of an option. @param earlier those of the same option before */
export function collectServices(text: string, earlier: SiteService[] = []): SiteService[] {
  const asked = text.split(",").map((word) => {
    const [, service] = services.find(([name]) => name === word.trim().toLowerCase()) ?? [];
    if (service === undefined) throw new InvalidArgumentError(`write one of ${siteServiceNames.join(", ")}.`);
    return service;
  });
  return [...new Set([...earlier, ...asked])];
}
