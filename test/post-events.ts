/** Posts NDJSON events to a running Eddy. `fetch` would call a text `text/plain`, which is refused. */
export const postEvents = (
  url: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> =>
  fetch(`${url}/v1/events`, { method: 'POST', headers: { 'content-type': 'application/x-ndjson', ...headers }, body })
