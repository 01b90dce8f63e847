/** The build that makes no functions of what a peer says; the package gives types for its main build only. */
declare module "msgpackr/index-no-eval" {
  export { Packr, RESET_BUFFER_MODE, Unpackr } from "msgpackr";
}
