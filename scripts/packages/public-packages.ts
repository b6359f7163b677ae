/** A workspace that other projects install as a package. */
export interface PublicPackage {
  dir: string;
  /** Its entry points for others, which semantic versioning covers. Its manifest says where they are, and has more of them for this repository. */
  doors: readonly string[];
  /** A folder of the repository that its modules read, by the path that they read it from, and its name in the package. */
  data?: { path: string; name: string };
  /** Its scripts are the files that a shop serves: it has imports that only our bundler understands. Default: the compiler's, for everybody's bundler. */
  isBundled?: boolean;
}

/**
 * What other projects install: the messages, the client of a gateway, what judges credentials without one, the test vectors of the protocol, and the picker. An
 * agent is a program of one file (`npm run agent:bundle`), and no library.
 */
export const publicPackages: readonly PublicPackage[] = [
  { dir: "packages/protocol", doors: [".", "./google-rpc", "./label-code", "./sandbox"] },
  { dir: "packages/credential", doors: ["."] },
  { dir: "packages/client", doors: [".", "./node"] },
  { dir: "packages/conformance", doors: [".", "./published"], data: { path: "docs/vectors", name: "vectors" } },
  { dir: "packages/picker", doors: ["."], isBundled: true },
];
