/** What a grant allows: sending to an actor, watching it, or spawning by name. */
export type GrantVerb = "tell" | "watch" | "spawn";

/**
 * Whether one of the grants ("tell:/agents/*", "watch:*", "spawn:worker@1") covers the target. A star at the end
 * stands for any rest; anywhere else it is a star.
 */
export function isGranted(grants: readonly string[], verb: GrantVerb, target: string): boolean {
  for (const grant of grants) {
    if (!grant.startsWith(verb) || grant[verb.length] !== ":") continue;
    const pattern = grant.slice(verb.length + 1);
    if (pattern.endsWith("*") ? target.startsWith(pattern.slice(0, -1)) : target === pattern) return true;
  }
  return false;
}
