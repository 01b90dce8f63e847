/** A definition as things to draw: lists of steps, each with its arrows, some of them inside a step. */

/** What a node stands for. `start` and `end` are where a list begins and ends; `failure` is where handlers begin. */
export type NodeKind = "start" | "end" | "fail" | "failure" | "handler" | "step";

export interface PictureNode {
  /** Unique in the whole picture. */
  readonly id: string;
  readonly kind: NodeKind;
  /** The kind of the step; empty for other nodes. */
  readonly type: string;
  readonly title: string;
  /** What it does, and then what else is worth knowing: retries, timeouts, routes of failures. */
  readonly notes: readonly string[];
  /** The lists inside it, each drawn within the node. */
  readonly lists: readonly PictureList[];
}

export interface PictureArrow {
  readonly from: string;
  readonly to: string;
  readonly label: string;
  /** A failure leads there. */
  readonly isFailure: boolean;
}

export interface PictureList {
  /** The name of the branch; empty where there is only one list. */
  readonly title: string;
  readonly nodes: readonly PictureNode[];
  readonly arrows: readonly PictureArrow[];
  /** Titles of the lists beside it that end before it begins. */
  readonly after: readonly string[];
}

export interface Picture {
  readonly title: string;
  readonly description: string;
  /** What starts a run by itself: triggers and schedules. */
  readonly starters: readonly string[];
  readonly list: PictureList;
}

/** Most nodes of one picture; nobody reads more. */
export const pictureNodesMax = 500;
