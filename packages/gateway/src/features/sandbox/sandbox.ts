import type { Act } from "@petak/protocol";
import type { SandboxBehaviour, SandboxRefusal } from "@petak/protocol/sandbox";

/** What a person shows at a door of the sandbox. */
export type ShownAtSandbox = { readonly token: string } | { readonly pin: string };

/** What came of it. */
export type SandboxVisit =
  | { readonly opened: true; readonly compartmentId: string; readonly act: Act }
  | { readonly opened: false; readonly refusal: SandboxRefusal };

/** A site of the sandbox. */
export interface SandboxPlace {
  readonly siteId: string;
  readonly operatorSiteRef: string;
  readonly behaviour: SandboxBehaviour;
}

/**
 * Test sites with an agent in software at each, whose agents call this gateway as any agent does. The program that starts the gateway runs them: a gateway
 * knows no doors.
 */
export interface Sandbox {
  readonly sites: readonly SandboxPlace[];
  /** A person presents a credential at one of the sites, after those who came before, and uses the door that opens. */
  visit(siteId: string, shown: ShownAtSandbox): Promise<SandboxVisit>;
}
