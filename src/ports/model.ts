import type { Json } from "../../machines/failure.ts";

export interface ModelMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** What a language model is asked; the signal takes it back. */
export interface ModelRequest {
  readonly messages: readonly ModelMessage[];
  /** JSON Schema of the wanted answer; the adapter checks the answer against it before it returns. */
  readonly schema?: { readonly [key: string]: Json };
  readonly temperature?: number;
  readonly outputTokensMax?: number;
  readonly signal: AbortSignal;
}

/** What a language model answered, and what it used. */
export interface ModelReply {
  /** The text, and the parsed answer where a schema was given. */
  readonly text: string;
  readonly value?: Json;
  readonly usage: { readonly inputTokens: number; readonly outputTokens: number; readonly cost?: number };
}

/** A language model. Adapters live outside this package; an agent gets one from whoever defines it. */
export interface Model {
  readonly name: string;
  complete(request: ModelRequest): Promise<ModelReply>;
}
