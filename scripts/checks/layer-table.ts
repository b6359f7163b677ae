/**
 * Who may import whom, by workspace. Imports point down this list only; what a package needs from above it gets handed in. Those that are
 * `"all"` exist for tests, measurements and examples: they import what they like, and nothing but tests imports them.
 */
export const layerTable: Readonly<Record<string, readonly string[] | "all">> = {
  "@petak/protocol": [],
  "@petak/lifecycle": ["@petak/protocol"],
  "@petak/credential": ["@petak/protocol"],
  "@petak/redis": ["@petak/protocol"],
  "@petak/allocator": ["@petak/protocol", "@petak/redis"],
  "@petak/records": ["@petak/protocol", "@petak/lifecycle", "@petak/credential", "@petak/redis", "@petak/allocator"],
  // Imports nothing: what the vectors hold against an implementation must not come from it.
  "@petak/conformance": [],
  "@petak/client": ["@petak/protocol", "@petak/credential"],
  "@petak/agent": ["@petak/protocol", "@petak/credential", "@petak/client"],
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
