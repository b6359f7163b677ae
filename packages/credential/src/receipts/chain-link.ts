import type { ChainFaultCode } from "./chain-faults.ts";
import type { ReceiptClaims } from "./receipt-claims.ts";

/** A link whose signature is good. */
export interface ChainLink {
  readonly number: number;
  readonly jws: string;
  readonly hash: string;
  readonly claims: ReceiptClaims;
}

/** Reports a fault, with the link or event that it concerns. */
export type ReportFault = (code: ChainFaultCode, message: string, about?: { link?: number | undefined; eventId?: string }) => void;
