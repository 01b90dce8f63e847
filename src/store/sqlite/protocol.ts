import type { FailureCode, Json } from "../../../machines/failure.ts";
import type { Turn } from "../../ports/store.ts";
import type { Word } from "./ops.ts";
import type { Reader } from "./reader.ts";

/** How much a commit must survive: a power cut, a power cut but for the last moments, or only the end of this process. */
export type Durability = "full" | "normal" | "memory";

/** What the worker is started with. */
export interface WorkerOptions {
  readonly path: string;
  readonly durability: Durability;
  readonly pid: number;
  readonly now: number;
}

/** A question that the reader answers, by the name of its method. */
export type ReadName = {
  [Name in keyof Reader]: Reader[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Reader];

/** A question with its arguments. */
export interface Question {
  readonly read: ReadName;
  readonly args: readonly unknown[];
}

/** What somebody waits for: a turn, or an answer. */
export type Request = { readonly turn: Turn } | Question;

/**
 * Several requests in one message. `words` holds them in order: a packed turn begins with the number of its words,
 * and a question stands as -1, in the order of `questions`.
 */
export interface Parcel {
  readonly words: readonly Word[];
  readonly questions: readonly Question[];
}

/** A problem on its way between threads. */
export interface Problem {
  readonly code: FailureCode;
  readonly message: string;
  readonly data: { readonly [key: string]: Json };
}

/** `true` for a turn that was applied. */
export type Reply = true | { readonly value: unknown } | { readonly problem: Problem };

export type ToWorker = { readonly parcel: Parcel } | { readonly close: true };

export type FromWorker =
  /** `holder` says who owns the file when this process does not. */
  | { readonly opened: { readonly isOwner: boolean; readonly holder: { pid: number; since: number } | undefined } }
  | { readonly unopened: Problem }
  | { readonly replies: readonly Reply[] }
  | { readonly foreignWrite: true }
  | { readonly closed: true };
