// Asking the server, and saying what is wrong.

export const CLOSED = "The studio of this page is closed: start it again, and use its new page.";

/** What the server answers; undefined, and the fault is told, where it could not do it. */
export async function send(path, body, read = (answer) => answer.json(), tell = fault) {
  try {
    const answer = await fetch(path, { method: "POST", body });
    if (!answer.ok) throw new Error((await answer.json()).fault);
    const found = await read(answer);
    tell("");
    return found;
  } catch (error) {
    tell(error instanceof TypeError || error instanceof SyntaxError ? CLOSED : error.message); // or another answers
    return undefined;
  }
}

/** Say what is wrong, or by "" that nothing is. */
export function fault(words) {
  document.getElementById("fault").textContent = words;
}
