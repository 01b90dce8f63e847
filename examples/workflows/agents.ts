import type { Troupe } from "troupe";
import { commands } from "./agents/commands.ts";
import { councilOf, researcher } from "./agents/council.ts";
import { engineer } from "./agents/engineer.ts";
import { files } from "./agents/files.ts";
import { records } from "./agents/records.ts";
import { reviewers } from "./agents/reviewers.ts";

/** The agents of all workflows in this folder. The council puts its questions to the troupe that it is in. */
export default (troupe: Troupe) => [files, commands, engineer, reviewers, records, researcher, councilOf(troupe)];
