/** The service of the sandbox, a network's test sites that misbehave on request. Only gateways that were started with it have it. */
export {
  type ListSandboxSitesResponse,
  ListSandboxSitesResponseSchema,
  SandboxBehaviour,
  SandboxBehaviourSchema,
  SandboxRefusal,
  SandboxRefusalSchema,
  SandboxService,
  type VisitSandboxSiteRequest,
  type VisitSandboxSiteResponse,
  VisitSandboxSiteResponseSchema,
} from "./gen/petak/v1/sandbox_service_pb.ts";
