import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(new URL("../peers/workflows/package.json", import.meta.url));

/** Loads a peer that is pinned and installed beside its lockfile. The caller says what it uses of it. */
export function loadPeer<Peer>(name: string): Peer {
  return require(name) as Peer;
}

/** As `loadPeer`, for peers that are ES modules only. */
export async function importPeer<Peer>(name: string): Promise<Peer> {
  return (await import(pathToFileURL(require.resolve(name)).href)) as Peer;
}
