/** What went wrong, in words: Node gives several addresses tried as one error without a message of its own. */
export function failureText(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return error.message === "" ? (code ?? error.name) : error.message;
}
