/** A page that judges access tokens by a trust bundle. */
export { judgeAccessToken } from "@petak/credential";
