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
  "@petak/agent": ["@petak/protocol", "@petak/lifecycle", "@petak/credential", "@petak/client"],
  "@petak/gateway": ["@petak/protocol", "@petak/lifecycle", "@petak/credential", "@petak/redis", "@petak/allocator", "@petak/records"],
  "@petak/cli": [
    "@petak/protocol",
    "@petak/lifecycle",
    "@petak/credential",
    "@petak/redis",
    "@petak/records",
    "@petak/client",
    "@petak/agent",
    "@petak/gateway",
  ],
  "@petak/examples": ["@petak/protocol", "@petak/client", "@petak/agent"],
  "@petak/testkit": "all",
  "@petak/bench": "all",
  "@petak/e2e": "all",
};
