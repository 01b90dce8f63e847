import type { Failure } from "../../machines/failure.ts";
import type { RestartWindow } from "../../machines/supervision/restart-window.ts";
import type { ExitKind, Restart } from "../../machines/supervision/strategy.ts";
import type { Host } from "./interpret.ts";

/** How a supervisor treats one child. Shared by all children that were declared together. */
export interface ChildSpec {
  readonly restart: Restart;
  /** How long an orderly stop may take before what is in hand is aborted, in milliseconds. */
  readonly shutdownMs: number;
  readonly significant: boolean;
}

/** OTP's default shutdown time of a worker. */
export const defaultShutdownMs = 5_000;

export const defaultChildSpec: ChildSpec = { restart: "temporary", shutdownMs: defaultShutdownMs, significant: false };

export interface Exit {
  readonly kind: ExitKind;
  readonly failure?: Failure;
}

/** A start went well, or this is why not. */
export type Started = Failure | undefined;

/** `end`: it will not come back. `restart`: what waits in mailboxes is kept for the next incarnation. */
export type HaltMode = "end" | "restart";

/** What a supervisor keeps: an agent's cell, an agent on another node, a run, or another supervisor. */
export interface Child {
  readonly name: string;
  readonly path: string;
  readonly spec: ChildSpec;
  readonly kind: "agent" | "remote" | "run" | "supervisor";
  /** The restarts that still count against it, where intensity is counted per child. */
  window: RestartWindow;
  /** Restarts in a row, for backoff; 0 after a success. */
  restarts: number;
  readonly ended: boolean;
  begin(): Started | Promise<Started>;
  halt(mode: HaltMode): void | Promise<void>;
  /** Gives up what is left of it: everything that waits is answered. */
  dispose(): void;
}

/** What a child knows of its supervisor. */
export interface Parent {
  readonly path: string;
  readonly host: Host;
  /** A child ended without being told to. */
  exited(child: Child, exit: Exit): void;
  /** Stops a child for good, on somebody's request. */
  terminate(child: Child): void | Promise<void>;
}
