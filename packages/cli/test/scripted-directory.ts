import { create } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient, createRouterTransport } from "@connectrpc/connect";
import {
  DirectoryService,
  PetakError,
  toConnectError,
  UpsertOutcome,
  type UpsertSitesRequest,
  UpsertSitesResponseSchema,
} from "@petak/protocol";

/** The scripted behaviour of a call. */
export type Script =
  /** Responds. */
  | "answer"
  /** Fails without executing the call, like a connection that breaks before it. */
  | "lose request"
  /** Executes the call, then fails, like a connection that breaks before the response. */
  | "lose answer"
  /** Fails permanently. */
  | "gone"
  | PetakError;

/** An in-memory directory with scripted failures. */
export interface ScriptedDirectory {
  readonly client: Client<typeof DirectoryService>;
  /** References of the existing sites, in the order of their creation. */
  standing(): string[];
  /** All received calls, with number of sites and request id. */
  readonly calls: { method: "validate" | "upsert" | "retire"; count: number; requestId: string }[];
}

/**
 * Makes a directory.
 *
 * @param script the behaviour of a call, by its number from 1 among the calls of its method
 */
export function createScriptedDirectory(
  script: (method: "validate" | "upsert" | "retire", number: number, request: { sites: { operatorSiteRef: string }[] }) => Script = () =>
    "answer",
  existing: string[] = [],
): ScriptedDirectory {
  const sites = new Set(existing);
  const answers = new Map<string, UpsertOutcome[]>();
  const calls: ScriptedDirectory["calls"] = [];

  function begin(method: "validate" | "upsert" | "retire", requestId: string, count: number, refs: { operatorSiteRef: string }[]): Script {
    calls.push({ method, count, requestId });
    const decided = script(method, calls.filter((call) => call.method === method).length, { sites: refs });
    if (decided === "gone" || decided === "lose request") throw new ConnectError("connection lost", Code.Unavailable);
    if (decided instanceof PetakError) throw toConnectError(decided);
    return decided;
  }

  function upsert(request: UpsertSitesRequest) {
    const decided = begin(request.validateOnly ? "validate" : "upsert", request.requestId, request.sites.length, request.sites);
    const outcomes =
      answers.get(request.requestId) ??
      request.sites.map(({ operatorSiteRef }) => {
        if (request.validateOnly) return UpsertOutcome.UNSPECIFIED;
        return sites.has(operatorSiteRef) ? UpsertOutcome.UPDATED : UpsertOutcome.CREATED;
      });
    if (!request.validateOnly) {
      answers.set(request.requestId, outcomes);
      for (const { operatorSiteRef } of request.sites) sites.add(operatorSiteRef);
    }
    if (decided === "lose answer") throw new ConnectError("connection lost", Code.Unavailable);
    return create(UpsertSitesResponseSchema, {
      results: request.sites.map(({ operatorSiteRef }, index) => ({
        siteId: sites.has(operatorSiteRef) ? `site_${operatorSiteRef}` : "",
        operatorSiteRef,
        outcome: outcomes[index] ?? UpsertOutcome.UNSPECIFIED,
        revision: 1,
      })),
    });
  }

  const transport = createRouterTransport((router) => {
    router.service(DirectoryService, {
      upsertSites: upsert,
      retireSites({ requestId, siteIds }) {
        begin("retire", requestId, siteIds.length, []);
        for (const siteId of siteIds) sites.delete(siteId.replace(/^site_/, ""));
        return {};
      },
    });
  });
  return { client: createClient(DirectoryService, transport), standing: () => [...sites], calls };
}
