import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { isIP } from "node:net";
import { join } from "node:path";
import type { CounterPlace } from "@petak/agent/counter";
import type { Device } from "@petak/agent/device";
import { usageFailure } from "../failure.ts";
import type { Session } from "../session.ts";

/** Options of `petak agent run` beside `--counter`. */
export interface CounterFlags {
  app?: string;
  tlsCert?: string;
  tlsKey?: string;
  plainHttp: boolean;
}

/** Where the built app lies: beside the program of an installed agent, or in this repository. */
const appFolders = [join(import.meta.dirname, "store-app"), join(import.meta.dirname, "../../../store-app/dist")];

/** The folder of the built app of tablets. Undefined: it is not part of this installation. */
export const findAppFolder = () => appFolders.find((folder) => existsSync(join(folder, "index.html")));

/** Reads where a counter is to be served. @param place `[HOST:]PORT` */
export async function counterOptions(session: Session, device: Device, place: string, flags: CounterFlags): Promise<CounterPlace> {
  const { host, port } = hostAndPort(place);
  const { tlsCert, tlsKey, plainHttp } = flags;
  if ((tlsCert === undefined) !== (tlsKey === undefined))
    throw usageFailure("--tls-cert and --tls-key belong together: give both or neither.");
  const { readStoreCertificate, hostsIn } = await import("@petak/agent/counter");
  const made = tlsCert === undefined && !plainHttp ? await readStoreCertificate(device.certificatePaths) : undefined;
  const isOwn = host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
  if (tlsCert === undefined && made === undefined && !isOwn && !plainHttp) {
    throw usageFailure(
      `A counter on ${host} needs a certificate: make one (\`agent certificate\`), give --tls-cert and --tls-key, or --plain-http if its tablets do without a camera.`,
    );
  }
  const read = (path: string) => readFile(session.resolve(path), "utf8");
  const tls = tlsCert !== undefined && tlsKey !== undefined ? { cert: await read(tlsCert), key: await read(tlsKey) } : made?.server;
  const appFolder = flags.app === undefined ? findAppFolder() : session.resolve(flags.app);
  return { host, port, tls, ca: made?.authority.cert, names: tls === undefined ? [] : hostsIn(tls.cert), appFolder };
}

function hostAndPort(place: string): { host: string; port: number } {
  const [, bracketed, plain, digits = ""] = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+)):)?(\d{1,5})$/.exec(place) ?? [];
  const port = Number(digits);
  if (digits === "" || port > 65_535) throw usageFailure(`--counter is [HOST:]PORT with a port up to 65535, not "${place}".`);
  return { host: bracketed ?? plain ?? "127.0.0.1", port };
}
