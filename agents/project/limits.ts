/** Named limits of one survey. Each says what happens beyond it; everything left out is told in the report. */

/** Folder entries looked at; the walk ends there and says so. */
export const entriesMax = 300_000;
/** Entries of one folder that are classified; the rest of that folder is only counted. */
export const folderEntriesMax = 20_000;
/** Nested folders below the root; deeper ones are not entered. */
export const depthMax = 32;
/** Files kept for examination, most telling kinds first; the rest is only counted. */
export const filesMax = 6_000;
/** Bytes of one file that is read; larger ones are skipped. */
export const fileBytesMax = 4_194_304;
/** Bytes of one file that is parsed into a syntax tree; larger ones count as generated. */
export const parseBytesMax = 262_144;
/** Bytes of text kept in memory by one survey; the least recently used text is read again when needed. */
export const textBytesMax = 50_331_648;
/** Bytes of source whose syntax trees are kept (a tree takes about 15 times its source). */
export const treeBytesMax = 8_388_608;
/** Bytes of one .gitignore that are obeyed; a longer one is ignored. */
export const ignoreBytesMax = 262_144;
/** Longest run of one git command, in milliseconds; then history is unavailable. */
export const gitTimeoutMs = 15_000;
/** Bytes of output read from one git command; then the newest complete commits read so far are used. */
export const gitBytesMax = 25_165_824;
/** Newest commits read. */
export const commitsMax = 2_000;
/** Newest tags read. */
export const tagsMax = 500;
/** Surveys kept for sharing; the least recently opened one is dropped. */
export const surveysMax = 4;
/** Milliseconds of work between two turns of the event loop. */
export const sliceMs = 12;
/** Milliseconds without a question after which texts and trees are dropped from memory. */
export const restMs = 60_000;
