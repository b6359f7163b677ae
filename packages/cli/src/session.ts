import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { DescService } from "@bufbuild/protobuf";
import type { Client } from "@connectrpc/connect";
import {
  createOwnServiceClient,
  createPetakClient,
  type KeyFile,
  type PetakClient,
  type PetakClientOptions,
  type RequestSigner,
  type RetryOptions,
  readKeyFile,
  signerOfKeyFile,
  type TlsOptions,
  tlsFromFiles,
} from "@petak/client/node";
import { defaultKeyPath, defaultPublishableKeyPath, defaultUrl } from "./defaults.ts";
import { usageFailure } from "./failure.ts";
import { fileProblemOf } from "./file-failure.ts";
import { createOutput, type Output, type TextStream } from "./terminal/output.ts";

/** The environment of a command: the process, or a test's substitute. */
export interface CliIo {
  /** The arguments after `petak`. */
  argv: readonly string[];
  env: Record<string, string | undefined>;
  /** The working directory. */
  cwd: string;
  stdout: TextStream;
  stderr: TextStream;
  /** Standard input. */
  stdin: () => NodeJS.ReadableStream;
  /** The time in ms since 1970. */
  now: () => number;
  /**
   * A signal that aborts when the user interrupts the command. Before the first call, an interruption ends the process at once; commands that must clean up call it first.
   */
  interruption: () => AbortSignal;
}

/** Options of every command. */
export interface GlobalOptions {
  /** `--url`, else PETAK_URL, else {@link defaultUrl}. */
  url?: string;
  /** `--key`, else PETAK_KEY. */
  key?: string;
  /** `--tls-ca`, else PETAK_TLS_CA: a path. */
  tlsCa?: string;
  /** `--tls-client-cert`, else PETAK_TLS_CLIENT_CERT: a path. */
  tlsClientCert?: string;
  /** `--tls-client-key`, else PETAK_TLS_CLIENT_KEY: a path. */
  tlsClientKey?: string;
  json?: boolean;
  /** False with `--no-color`. */
  color?: boolean;
}

/** A participant's key and a client that signs with it. */
export interface SignedConnection {
  readonly client: PetakClient;
  readonly signer: RequestSigner;
  readonly keyFile: KeyFile;
  /** Path of the key file. */
  readonly keyPath: string;
}

/** One run of a command. */
export interface Session {
  readonly io: CliIo;
  readonly output: Output;
  /** The gateway's address. */
  readonly url: string;
  /** How connections to it are made over TLS. Undefined: as the system does. Reads files, and throws a TlsFileError. */
  readonly tls: (() => TlsOptions) | undefined;
  /** The same as options for a program that this one starts. */
  readonly tlsFlags: readonly string[];
  /** Resolves a path against the working directory. */
  resolve(path: string): string;
  /** The key file and its path; undefined if none is given and the default does not exist. Throws a usage failure if it cannot be read. */
  findKey(): Promise<{ keyFile: KeyFile; keyPath: string } | undefined>;
  /** A client that signs with the key. Throws a usage failure if there is none. */
  connect(retry?: RetryOptions | false): Promise<SignedConnection>;
  /** A client that signs with a key file other than `--key`. */
  connectWith(keyFile: KeyFile, retry?: RetryOptions | false): PetakClient;
  /** A client of one service, that signs with a key, over connections of its own. */
  connectService<Service extends DescService>(service: Service, options: Pick<PetakClientOptions, "signer" | "timeoutMs">): Client<Service>;
  /** A client that may read the directory, with the key or the publishable key. */
  connectToRead(): Promise<PetakClient>;
  /** Closes the clients. */
  close(): void;
}

/** One retry: enough for a broken connection, while a missing gateway is reported at once. */
const defaultRetry: RetryOptions = { maxAttempts: 2, baseDelayMs: 100 };

/** Makes the session of a command. */
export function createSession(io: CliIo, options: GlobalOptions): Session {
  const url = checkUrl(options.url ?? nonEmpty(io.env.PETAK_URL) ?? defaultUrl);
  const key = options.key ?? nonEmpty(io.env.PETAK_KEY);
  const { tls, tlsFlags } = tlsOf(io, options);
  const clients: { close(): void }[] = [];
  const output = createOutput({ stdout: io.stdout, stderr: io.stderr, json: options.json, color: options.color, env: io.env });
  const signerOf = (keyFile: KeyFile) => signerOfKeyFile(keyFile, { now: io.now });
  const fromHere = (path: string) => resolve(io.cwd, path);

  function open(credentials: { signer?: RequestSigner; publishableKey?: string }, retry: RetryOptions | false = defaultRetry): PetakClient {
    const client = createPetakClient({ baseUrl: url, tls, ...credentials, retry });
    clients.push(client);
    return client;
  }

  async function findKey(): Promise<{ keyFile: KeyFile; keyPath: string } | undefined> {
    if (key !== undefined && isPublishable(key)) {
      throw usageFailure("A publishable key only reads the directory. Give --key the key file of a participant.");
    }
    const keyPath = fromHere(key ?? defaultKeyPath);
    if (!existsSync(keyPath)) {
      if (key === undefined) return undefined;
      throw usageFailure(`The key file ${key} does not exist. Check --key and PETAK_KEY.`);
    }
    try {
      return { keyFile: await readKeyFile(keyPath), keyPath };
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw usageFailure(code === undefined ? `${message}.` : `The key file ${keyPath} cannot be read: ${fileProblemOf(error)}.`);
    }
  }

  return {
    io,
    output,
    url,
    tls,
    tlsFlags,
    resolve: fromHere,
    findKey,
    async connect(retry) {
      const found = await findKey();
      if (found === undefined) {
        throw usageFailure(`No key given: pass --key FILE or set PETAK_KEY (${defaultKeyPath}, which \`npm start\` makes, is not here).`);
      }
      const signer = signerOf(found.keyFile);
      return { ...found, signer, client: open({ signer }, retry) };
    },
    connectWith: (keyFile, retry) => open({ signer: signerOf(keyFile) }, retry),
    connectService(service, serviceOptions) {
      const { client, close } = createOwnServiceClient(service, { baseUrl: url, tls, ...serviceOptions });
      clients.push({ close });
      return client;
    },
    async connectToRead() {
      if (key !== undefined && isPublishable(key)) return open({ publishableKey: key });
      const found = await findKey();
      if (found !== undefined) return open({ signer: signerOf(found.keyFile) });
      const publishableKeyPath = fromHere(defaultPublishableKeyPath);
      if (existsSync(publishableKeyPath)) return open({ publishableKey: (await readFile(publishableKeyPath, "utf8")).trim() });
      throw usageFailure(
        `No key given: pass --key with a key file or a publishable key, or set PETAK_KEY (${defaultKeyPath}, which \`npm start\` makes, is not here).`,
      );
    },
    close() {
      for (const client of clients) client.close();
    },
  };
}

function tlsOf({ env, cwd }: CliIo, options: GlobalOptions): Pick<Session, "tls" | "tlsFlags"> {
  const path = (given: string | undefined, variable: string) => {
    const text = given ?? nonEmpty(env[variable]);
    return text === undefined ? undefined : resolve(cwd, text);
  };
  const ca = path(options.tlsCa, "PETAK_TLS_CA");
  const cert = path(options.tlsClientCert, "PETAK_TLS_CLIENT_CERT");
  const key = path(options.tlsClientKey, "PETAK_TLS_CLIENT_KEY");
  if ((cert === undefined) !== (key === undefined)) {
    throw usageFailure("--tls-client-cert and --tls-client-key (PETAK_TLS_CLIENT_CERT, PETAK_TLS_CLIENT_KEY) belong together: give both.");
  }
  const given = Object.entries({ "--tls-ca": ca, "--tls-client-cert": cert, "--tls-client-key": key });
  const tlsFlags = given.flatMap(([flag, file]) => (file === undefined ? [] : [flag, file]));
  return { tls: tlsFlags.length === 0 ? undefined : tlsFromFiles({ ca, cert, key }), tlsFlags };
}

function isPublishable(key: string): boolean {
  return /^pk_(live|test)_/.test(key);
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function checkUrl(text: string): string {
  if (!/^https?:\/\//i.test(text)) {
    throw usageFailure(
      `The gateway's address "${text}" must begin with http:// or https://, e.g. ${defaultUrl}. Check --url and PETAK_URL.`,
    );
  }
  const { username, password, search, hash } = URL.canParse(text) ? new URL(text) : {};
  if (username === undefined) throw usageFailure(`"${text}" is no address, e.g. ${defaultUrl}. Check --url and PETAK_URL.`);
  // Not repeated: it may have a password.
  if (`${username}${password}${search}${hash}` !== "") {
    throw usageFailure(`The gateway's address has a user, a query or a fragment. Write scheme, host and port only, e.g. ${defaultUrl}.`);
  }
  return text.replace(/\/+$/, "");
}
