/**
 * Greatest difference of a site's clock from the gateway's, in ms: 5 min, the drift of a terminal's clock over months without the network.
 */
export const siteClockSkewMs = 300_000;
