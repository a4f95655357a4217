// Asks andon, with the token of this tab where there is one. Every refusal is a `Problem` with words for people.

import { t } from "./words.js";

const TOKEN = "andon.token";

/** A refusal (RFC 9457), or no answer at all (status 0). */
export class Problem extends Error {
  constructor(status, document) {
    super(document.detail ?? document.title ?? String(status));
    this.status = status;
    this.title = document.title;
    this.errors = document.errors ?? [];
  }
}

/** The token of this tab. */
export function token() {
  try {
    return sessionStorage.getItem(TOKEN);
  } catch {
    return null;
  }
}

/** Keeps a token for this tab, or forgets it. */
export function useToken(text) {
  if (text) sessionStorage.setItem(TOKEN, text);
  else sessionStorage.removeItem(TOKEN);
}

/** Headers of every request. */
export function headers(more = {}) {
  const known = token();
  return known ? { ...more, authorization: `Bearer ${known}` } : more;
}

/** Asks, and gives the answer's JSON (null where it has none); throws a `Problem`. A missing token is asked for, unless it `canDo` without. */
export async function ask(path, { method = "GET", body, signal, canDo = false } = {}) {
  const init = { method, signal, headers: headers(body === undefined ? {} : { "content-type": "application/json" }) };
  if (body !== undefined) init.body = JSON.stringify(body);
  let response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: t("trouble.network") });
  }
  if (response.ok) return response.status === 204 || response.headers.get("content-length") === "0" ? null : response.json();
  const problem = await response.json().catch(() => ({ title: response.statusText }));
  if (!canDo && (response.status === 401 || response.status === 403)) document.dispatchEvent(new CustomEvent("andon:token", { detail: problem }));
  throw new Problem(response.status, problem);
}

/** A path with a query, without what is empty. */
export function path(base, query) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null && value !== undefined && value !== "") params.set(name, value);
  const text = params.toString();
  return text ? `${base}?${text}` : base;
}

/** All items of a list, page after page, at most `most`. */
export async function all(base, query = {}, { most = 20_000, ...how } = {}) {
  const items = [];
  let answer = { next_cursor: null };
  do {
    answer = await ask(path(base, { limit: 1000, ...query, cursor: answer.next_cursor }), how);
    items.push(...answer.items);
  } while (answer.next_cursor && items.length < most);
  return { items, as_of: answer.as_of, hasMore: answer.next_cursor !== null };
}
