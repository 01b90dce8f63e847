import { createRequire } from "node:module";

const require = createRequire(new URL("../../peers/remote/package.json", import.meta.url));

/** Loads a peer that is pinned and installed beside its lockfile. The caller says what it uses of it. */
export function loadPeer<Module>(name: string): Module {
  return require(name) as Module;
}
