/** What happens to the siblings of a child that ended. Source: Erlang/OTP `supervisor`, restart strategies. */
export type Strategy = "one-for-one" | "one-for-all" | "rest-for-one";

/** `permanent` is always restarted, `transient` only after a crash, `temporary` never. Source: OTP child specification. */
export type Restart = "permanent" | "transient" | "temporary";

/** How a child came to its end. */
export type ExitKind = "crashed" | "stopped";

/** When a supervisor stops itself because significant children ended. Source: OTP `auto_shutdown`. */
export type AutoShutdown = "never" | "any-significant" | "all-significant";

export function shouldRestart(restart: Restart, exit: ExitKind): boolean {
  if (restart === "permanent") return true;
  return restart === "transient" && exit === "crashed";
}

/** The indexes of the children to stop and start again with child `failed`, in start order. */
export function affectedChildren(strategy: Strategy, failed: number, count: number): readonly number[] {
  if (strategy === "one-for-one") return [failed];
  const first = strategy === "one-for-all" ? 0 : failed;
  return Array.from({ length: count - first }, (_, offset) => first + offset);
}

/**
 * Whether a supervisor ends itself after a child that is not restarted ended by its own doing.
 * A child stopped on request by its supervisor is never significant in this sense.
 */
export function shouldShutDown(
  auto: AutoShutdown,
  ended: { readonly significant: boolean; readonly significantLeft: number },
): boolean {
  if (auto === "never" || !ended.significant) return false;
  return auto === "any-significant" || ended.significantLeft === 0;
}
