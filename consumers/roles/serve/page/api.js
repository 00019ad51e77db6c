// Asks the API, with the token where one is needed.

const KEY = "gsr-token";
let token = sessionStorage.getItem(KEY);
let asking = null;
let askPerson = async () => null;

/** Have `ask` call this when the service wants a token; it returns what the person gave. */
export function askTokenWith(question) {
  askPerson = question;
}

export class Problem extends Error {
  constructor(status, kind, detail) {
    super(detail);
    this.status = status;
    this.kind = kind;
  }
}

/** Return the document at a path; with `body` it is posted. Throws a Problem. */
export async function ask(path, { signal, body } = {}) {
  for (;;) {
    const used = token;
    const answer = await send(path, signal, body, used);
    if (answer.ok) return answer.json();
    if (answer.status !== 401) throw await problem(answer);
    if (token !== used) continue; // another request has got one meanwhile
    asking ??= askPerson().finally(() => { asking = null; });
    token = await asking;
    signal?.throwIfAborted();
    sessionStorage.setItem(KEY, token);
  }
}

async function send(path, signal, body, used) {
  const headers = {};
  if (used) headers.Authorization = `Bearer ${used}`;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  try {
    return await fetch(path, {
      headers, signal, method: body === undefined ? "GET" : "POST",
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, "away", "The service does not answer: does gsr serve run?");
  }
}

async function problem(answer) {
  try {
    const document = await answer.json();
    return new Problem(answer.status, document.type.split(":").pop(), document.detail);
  } catch {
    return new Problem(answer.status, "unknown", `The service answered with status ${answer.status}.`);
  }
}

/** Return an id as a part of a path. */
export function part(id) {
  return encodeURIComponent(id);
}
