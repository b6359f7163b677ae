import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

const openssl = (...args: string[]) => promisify(execFile)("openssl", args);

/** Paths of a certificate and its private key, in PEM. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** An authority of a test. */
export interface TestAuthority {
  /** Path of its own certificate. */
  readonly ca: string;
  /** Issues a certificate, for TLS servers and clients. @param name a host's or a client's name */
  issue(name: string): Promise<CertificateFiles>;
}

/** Whether `openssl` is installed, which tests with an authority of their own need. */
export async function hasOpenssl(): Promise<boolean> {
  return await openssl("version").then(
    () => true,
    () => false,
  );
}

/** Makes an authority by `openssl`. Its certificates are valid for a day. @param dir where its files go, beside those of others */
export async function createTestAuthority(dir: string, name: string): Promise<TestAuthority> {
  let issued = 0;

  async function make(subject: string, signedBy: readonly string[]): Promise<CertificateFiles> {
    const base = join(dir, `${name}-${issued++}`);
    const files = { cert: `${base}.pem`, key: `${base}.key` };
    const newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", files.key];
    const facts = ["-subj", `/CN=${subject}`, "-addext", `subjectAltName=DNS:${subject}`, "-days", "1"];
    await openssl("req", "-x509", ...newKey, ...facts, ...signedBy, "-out", files.cert);
    return files;
  }

  const own = await make(name, []);
  return { ca: own.cert, issue: (subject) => make(subject, ["-CA", own.cert, "-CAkey", own.key]) };
}
