/** How far the clock of a site may be from the gateway's, in ms: 5 min, what a terminal's clock drifts in months without the network. */
export const siteClockSkewMs = 300_000;
