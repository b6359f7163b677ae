/** The `domain` of the `google.rpc.ErrorInfo` that carries a reason of the catalogue. */
export const errorDomain = "petak.v1";
