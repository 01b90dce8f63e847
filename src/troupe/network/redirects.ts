import { TroupeError } from "../../errors.ts";
import { checkDialUrl } from "../../remote/websocket-transport.ts";

/** Most addresses that one link may be sent on to. */
export const redirectAddressesMax = 64;
/** Characters of an address that a frame carries. */
const redirectCharactersMax = 512;

/**
 * The addresses that the node at `url` may send a link on to.
 * Errors: throws `usage/invalid-options`; also where a link over TLS could go on without, so that no secret does.
 */
export function checkRedirects(url: string, redirects: readonly string[]): void {
  if (redirects.length > redirectAddressesMax)
    throw new TroupeError(
      "usage/invalid-options",
      `redirects has ${redirects.length} addresses; it takes ${redirectAddressesMax}`,
    );
  for (const redirect of redirects) checkDialUrl(redirect);
  const plain = redirects.find((redirect) => new URL(redirect).protocol !== "wss:");
  if (plain !== undefined && new URL(url).protocol === "wss:")
    throw new TroupeError(
      "usage/invalid-options",
      `redirects: ${plain} has no TLS, and ${url} has; what is sent to one must be as safe at the other`,
    );
}

/** Errors: throws `usage/invalid-options` for an address that peers could not be sent on to. */
export function checkRedirect(redirect: string): void {
  checkDialUrl(redirect);
  if (redirect.length <= redirectCharactersMax) return;
  throw new TroupeError(
    "usage/invalid-options",
    `redirect has ${redirect.length} characters; an address has at most ${redirectCharactersMax}`,
  );
}
