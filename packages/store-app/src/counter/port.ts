import type { Counter, Entry, EntryResult, Parcel, SignInResponse, TakeLeaseResponse } from "@petak/protocol/counter";

/** The parcels of a store. */
export interface ParcelList {
  readonly version: bigint;
  readonly parcels: readonly Parcel[];
}

/** Whoever keeps the store's shelf: its agent, or the made-up store of practice mode. */
export interface CounterPort {
  /** True: nothing leaves this device. */
  readonly isPractice: boolean;
  /** What a screen shows, also before somebody has signed in. Throws where the agent cannot be reached. */
  getCounter(): Promise<Counter>;
  /** Begins a clerk's session. The response has no counter: refused. */
  signIn(clerkId: string, pin: string): Promise<SignInResponse>;
  /** Ends the session of this tablet. */
  signOut(): Promise<void>;
  /** The counter whenever it has changed, and every few seconds. Ends or throws where the agent cannot be reached any more. */
  watch(signal: AbortSignal): AsyncIterable<Counter>;
  /** All parcels. Undefined: they are those of the known version. */
  listParcels(known: bigint): Promise<ParcelList | undefined>;
  /** Hands entries over, in their order. Each is taken once by its id. */
  submit(entries: readonly Entry[]): Promise<readonly EntryResult[]>;
  /** Keeps a photo at the store. */
  putPhoto(photoId: string, jpeg: Uint8Array): Promise<void>;
  /** A photo. Undefined: it is not kept any more. */
  getPhoto(photoId: string): Promise<Uint8Array | undefined>;
  /** Takes or renews the lease. Undefined: this tablet decides nothing without its agent. @param knownDigest of the material that it has */
  takeLease?: ((knownDigest: string) => Promise<TakeLeaseResponse>) | undefined;
  /** Returns it. */
  returnLease?: ((leaseNumber: bigint) => Promise<void>) | undefined;
  /** Practice only: what could be scanned next, wrong ones too. */
  madeUpCodes?(next: NextScan): readonly string[];
}

/** What a screen waits to be scanned. */
export type NextScan =
  | { readonly of: "code" }
  | { readonly of: "parcel"; readonly handOverId: string }
  | { readonly of: "delivery"; readonly deliveryId: string }
  | { readonly of: "courier" }
  | { readonly of: "shelf" };

/** The agent cannot be reached: what was not answered is sent again. */
export class UnreachableError extends Error {}

/** Nobody is signed in on this tablet: what was not answered waits for somebody who is. */
export class SignedOutError extends Error {}
