import http from "k6/http";
import { Counter } from "k6/metrics";
import { reasonIn } from "./reason.ts";
import type { findNearest } from "./requests.ts";
import type { Settings } from "./settings.ts";
import { type TimedToken, tokenAt } from "./tokens.ts";

const refused = new Counter("refused");

/** The answer to a search: its HTTP status and its text. */
export interface SearchAnswer {
  readonly status: number;
  readonly body: string;
}

/** Searches as a checkout does: FindNearest, Connect JSON over HTTP. A refusal is counted by its reason. */
export function search({ url }: Settings, tokens: readonly TimedToken[], request: ReturnType<typeof findNearest>): SearchAnswer {
  const answer = http.post(`${url}/petak.v1.DirectoryService/FindNearest`, JSON.stringify(request), {
    headers: { "Content-Type": "application/json", Authorization: `Bearer ${tokenAt(tokens, Date.now())}` },
    tags: { name: "FindNearest" },
  });
  const { status } = answer;
  const body = String(answer.body);
  if (status !== 200) refused.add(1, { reason: reasonIn(status, body) });
  return { status, body };
}
