import { expect, test } from "vitest";
import { chooseSocketPath, maxSocketPathBytes } from "./socket-path.ts";

test("a socket lies in its data directory as long as the path is short enough", () => {
  const dataDir = `/${"d".repeat(maxSocketPathBytes - "//server.sock".length)}`;
  expect(chooseSocketPath(dataDir)).toEqual({ socketPath: `${dataDir}/server.sock` });
  expect(chooseSocketPath(`${dataDir}d`, "/var/tmp").socketPath).toMatch(/^\/var\/tmp\/petak-[0-9a-f]{16}\/server\.sock$/);
});

test("length is counted in bytes, not in characters", () => {
  expect(chooseSocketPath(`/${"柜".repeat(40)}`, "/var/tmp").socketDir).toMatch(/^\/var\/tmp\/petak-/);
});

test("a data directory has the same socket path after a restart, and two directories have different ones", () => {
  const [one, two] = ["one", "two"].map((name) => `/${"d".repeat(100)}/${name}`);
  expect(chooseSocketPath(`${one}`)).toEqual(chooseSocketPath(`${one}`));
  expect(chooseSocketPath(`${one}`)).not.toEqual(chooseSocketPath(`${two}`));
});

test("/tmp is used if the temporary directory is too long as well", () => {
  expect(chooseSocketPath(`/${"d".repeat(100)}`, `/${"t".repeat(100)}`).socketPath).toMatch(/^\/tmp\/petak-/);
});
