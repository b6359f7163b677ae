import { Health } from "@petak/protocol/grpc";

const pages: ReadonlySet<string> = new Set(["/livez", "/readyz"]);
const calls = `/${Health.typeName}/`;

/** Whether a path is one of those by which supervisors see whether the gateway lives. */
export function isHealthPath(path: string): boolean {
  return pages.has(path) || path.startsWith(calls);
}
