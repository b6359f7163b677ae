import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Role } from "@petak/protocol";
import { createTempDir, makeSite, processEnv, type TempDir, useRedis } from "@petak/testkit";
import { startTestNetwork } from "@petak/testkit/network";
import { beforeAll, expect, it } from "vitest";
import { readCodeBlocks } from "../examples/code-blocks.ts";
import { repositoryDir } from "../examples/courier-examples.ts";
import { findPython } from "../examples/find-python.ts";

const run = promisify(execFile);
const redis = useRedis();
let temp: TempDir;
let bundle = "";

/** Why nothing is compiled by protoc here. Undefined: it is. The set-up installs it where it may. */
const protocObstacle = await run("protoc", ["--version"]).then(
  () => undefined,
  () => "protoc is not installed: e.g. sudo apt-get install protobuf-compiler",
);

beforeAll(async () => {
  temp = await createTempDir();
  bundle = join(temp.path, "bundle");
  await run(process.execPath, [join(repositoryDir, "scripts/bundle-proto.mjs"), "--out", bundle], { env: processEnv({}) });
  return () => temp.remove();
});

/** Runs the README's command with a word in it, as a reader of the bundle does: in its folder, with nothing of this repository but buf. */
async function runShown(word: string): Promise<string> {
  const shown = (await readCodeBlocks(join(bundle, "README.md"))).filter(({ code }) => code.includes(word));
  expect(shown).toHaveLength(1);
  const PATH = `${join(repositoryDir, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`;
  const env = { PATH, HOME: temp.path };
  const { stdout } = await run("sh", ["-e", "-c", shown[0]?.code ?? ""], { cwd: bundle, env, maxBuffer: 10_000_000 });
  return stdout;
}

/** The names of the calls of a descriptor set that needs no other. */
async function callsOf(file: string): Promise<string[]> {
  const { file: files } = fromBinary(FileDescriptorSetSchema, await readFile(file));
  const registry = createFileRegistry({ $typeName: "google.protobuf.FileDescriptorSet", file: files });
  const services = [...registry].filter((type) => type.kind === "service");
  return services.flatMap(({ typeName, methods }) => methods.map(({ name }) => `${typeName}/${name}`)).sort();
}

/** The names of all calls of the protocol, by its sources. */
async function allCalls(): Promise<string[]> {
  const folder = join(repositoryDir, "proto/petak/v1");
  const sources = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), "utf8")));
  return sources
    .flatMap((source) =>
      [...source.matchAll(/^service (\w+) \{\n(.*?)^\}/gms)].flatMap(([, service, body = ""]) =>
        [...body.matchAll(/^ {2}rpc (\w+)/gm)].map(([, name]) => `petak.v1.${service}/${name}`),
      ),
    )
    .sort();
}

it("has every call of the protocol in its descriptor set, which needs no other file", async () => {
  const calls = await allCalls();
  expect(calls.length).toBeGreaterThan(30);
  expect(await callsOf(join(bundle, "petak-v1.binpb"))).toEqual(calls);
  expect((await runShown("buf curl")).trim().split("\n").sort()).toEqual(calls);
});

it("is compiled by buf as it is", async () => {
  expect(await runShown("buf build")).toBe("");
});

it("is compiled by protoc as it is", async ({ skip }) => {
  skip(protocObstacle !== undefined, protocObstacle);
  const files = (await readdir(bundle, { recursive: true })).filter((name) => name.endsWith(".proto"));
  await run("protoc", ["-I", ".", "--include_imports", "--descriptor_set_out=out.binpb", ...files], { cwd: bundle });
  expect(await callsOf(join(bundle, "out.binpb"))).toEqual(await allCalls());
});

/** Finds the places nearest to one by generated messages, over HTTP. */
const program = `
import os, sys, urllib.request
sys.path.insert(0, "python")
from petak.v1 import directory_pb2 as directory
request = directory.FindNearestRequest()
request.origin.latitude, request.origin.longitude = 1.3, 103.8
request.parcel.width_mm, request.parcel.height_mm, request.parcel.depth_mm, request.parcel.mass_g = 300, 100, 400, 1000
headers = {"Content-Type": "application/proto", "Authorization": os.environ["AUTHORIZATION"]}
call = urllib.request.Request(os.environ["GATEWAY"] + "/petak.v1.DirectoryService/FindNearest", request.SerializeToString(), headers)
with urllib.request.urlopen(call) as answer:
    for option in directory.FindNearestResponse.FromString(answer.read()).options:
        print(option.site.site_id)
`;

it("makes Python messages by protoc that a gateway understands", async ({ skip }) => {
  skip(protocObstacle !== undefined, protocObstacle);
  const python = await findPython("google.protobuf");
  if (python === undefined) return skip("no Python here has google.protobuf (Debian: python3-protobuf)");
  await runShown("--python_out");
  const network = await startTestNetwork({ redis });
  try {
    const { client, signer } = await network.join("Operator", [Role.OPERATOR]);
    const sites = [1.301, 1.302].map((latitude) => makeSite({ latitude, longitude: 103.8, ref: `site-${latitude}` }));
    const siteIds = await network.putSites({ client }, ...sites);
    const file = join(bundle, "find.py");
    await writeFile(file, program);
    const env = { ...process.env, GATEWAY: network.baseUrl, AUTHORIZATION: await signer.authorization() };
    const { stdout } = await run(python, [file], { cwd: bundle, env });
    expect(stdout.trim().split("\n")).toEqual(siteIds);
  } finally {
    await network.stop();
  }
});
