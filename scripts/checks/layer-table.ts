/**
 * The permitted imports between workspaces. Imports point down this list only; a package receives what it needs from above as arguments.
 * The `"all"` workspaces are for tests, measurements and examples: they may import anything, and only tests import them.
 */
export const layerTable: Readonly<Record<string, readonly string[] | "all">> = {
  "@petak/protocol": [],
  "@petak/lifecycle": ["@petak/protocol"],
  "@petak/credential": ["@petak/protocol"],
  "@petak/redis": ["@petak/protocol"],
  "@petak/allocator": ["@petak/protocol", "@petak/redis"],
  "@petak/records": ["@petak/protocol", "@petak/lifecycle", "@petak/credential", "@petak/redis", "@petak/allocator"],
  // Imports nothing, because the expectations of the vectors must not come from the implementation under test.
  "@petak/conformance": [],
  "@petak/client": ["@petak/protocol", "@petak/credential"],
  // Nothing but what is seen: it knows no parcel.
  "@petak/ui": [],
  // Types only, of the protocol: it speaks JSON, and a page loads no more than it needs.
  "@petak/picker": ["@petak/protocol", "@petak/ui"],
  "@petak/agent": ["@petak/protocol", "@petak/lifecycle", "@petak/credential", "@petak/client"],
  "@petak/store-app": ["@petak/protocol", "@petak/lifecycle", "@petak/credential", "@petak/client", "@petak/ui", "@petak/agent"],
  "@petak/gateway": [
    "@petak/protocol",
    "@petak/lifecycle",
    "@petak/credential",
    "@petak/redis",
    "@petak/allocator",
    "@petak/records",
    "@petak/ui",
  ],
  "@petak/simulator": ["@petak/protocol", "@petak/lifecycle", "@petak/credential", "@petak/client", "@petak/agent"],
  // The shop serves the picker's files, and looks like the other pages.
  "@petak/examples": ["@petak/protocol", "@petak/client", "@petak/ui", "@petak/picker", "@petak/agent"],
  "@petak/cli": [
    "@petak/protocol",
    "@petak/lifecycle",
    "@petak/credential",
    "@petak/redis",
    "@petak/records",
    "@petak/client",
    "@petak/agent",
    "@petak/gateway",
    "@petak/simulator",
    // `start` opens the shop beside the gateway, to be tried in a browser.
    "@petak/examples",
  ],
  "@petak/testkit": "all",
  "@petak/bench": "all",
  "@petak/k6": "all",
  "@petak/e2e": "all",
};
