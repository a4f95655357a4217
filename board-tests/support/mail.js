// A mail as a mail program shows it: headers and the two bodies.

/** Headers (names in lower case, unfolded), and the bodies by type. */
export function parse(text) {
  const [head, body] = split(text);
  const headers = headersOf(head);
  const boundary = /boundary="?([^";]+)"?/.exec(headers.get("content-type") ?? "")?.[1];
  if (boundary === undefined) return { headers, bodies: new Map([["text/plain", decode(headers, body)]]) };
  const parts = body.split(`--${boundary}`).slice(1, -1).map((part) => {
    const [partHead, partBody] = split(part.replace(/^\r\n/, ""));
    const partHeaders = headersOf(partHead);
    return [partHeaders.get("content-type").split(";")[0], decode(partHeaders, partBody)];
  });
  return { headers, bodies: new Map(parts) };
}

function split(text) {
  const at = text.indexOf("\r\n\r\n");
  return [text.slice(0, at), text.slice(at + 4)];
}

function headersOf(head) {
  const lines = head.replace(/\r\n[ \t]+/g, " ").split("\r\n");
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]));
}

function decode(headers, body) {
  const encoding = (headers.get("content-transfer-encoding") ?? "7bit").toLowerCase();
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding !== "quoted-printable") return body;
  const bytes = body.replace(/=\r\n/g, "").replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}
