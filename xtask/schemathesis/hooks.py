"""What the search begins with, and bodies in the formats that the tool does not know."""

import os
import time

import requests
import schemathesis
from hypothesis import strategies as st

API = os.environ["ANDON_URL"]

ROWS = """line_id,event_time,status,reason_code
press-1,2026-01-05T06:00:00Z,RUNNING,
press-1,2026-01-05T06:10:00Z,STOPPED,E-17
press-1,2026-01-05T06:20:00Z,FAULTED,E-18
press-1,2026-01-05T06:30:00Z,RUNNING,
press-1,2026-01-05T06:40:00Z,IDLE,
press-1,2026-01-05T06:10:00Z,IDLE,
weld-2,2026-01-05T06:15:00Z,CHANGEOVER,
weld-2,2026-01-05T06:25:00Z,RUNNING,
far-3,2999-01-05T06:25:00Z,STOPPED,
"""


def begin_with_a_plant():
    """Lines, stops, a subscription and dead letters, so that answers have something to say."""

    def send(method, path, **body):
        answer = requests.request(method, API + path, timeout=60, **body)
        answer.raise_for_status()
        return answer

    for line in ("press-1", "weld-2", "silent-9"):
        send("PUT", f"/v1/lines/{line}", json={"path": ["site", "hall-1"]})
    headers = {"content-type": "text/csv"}
    send("POST", "/v1/line-status", data=ROWS.encode(), headers=headers)
    send("POST", "/v1/subscriptions", json={"email": "anna@plant.example", "node": "site/hall-1"})
    until = time.monotonic() + 60
    while not send("GET", "/v1/dead-letters").json()["items"]:
        if time.monotonic() > until:
            raise RuntimeError("no dead letter came within 60 s")
        time.sleep(0.05)


begin_with_a_plant()

LINE = st.sampled_from(["press-1", "weld-2", "new-4", "ungewöhnlich"])
TIME = st.datetimes().map(lambda at: at.strftime("%04Y-%m-%dT%H:%M:%SZ"))
STATUS = st.sampled_from(["RUNNING", "STOPPED", "FAULTED", "NO_CHANGE", "Suspended", "major_outage"])


def csv(rows):
    return "line_id,event_time,status\n" + "".join(f"{line},{at},{status}\n" for line, at, status in rows)


def ndjson(rows):
    line = '{{"line_id":"{}","event_time":"{}","status":"{}"}}\n'
    return "".join(line.format(*row) for row in rows)


# Rows that make sense for the most part, and anything at all.
BODIES = st.lists(st.tuples(LINE, TIME, STATUS), max_size=20)
schemathesis.openapi.media_type("text/csv", st.one_of(BODIES.map(csv), st.text()).map(str.encode))
schemathesis.openapi.media_type("application/x-ndjson", st.one_of(BODIES.map(ndjson), st.text()).map(str.encode))


@schemathesis.serializer("text/csv", "application/x-ndjson")
def as_it_is(_context, value):
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_load_schema(_context, raw_schema):
    """The tool wants examples of such formats as bytes, which JSON has not; rows like them are drawn anyway."""
    for content_type, content in raw_schema["paths"]["/v1/line-status"]["post"]["requestBody"]["content"].items():
        if content_type != "application/json":
            content.pop("example")


@schemathesis.hook
def after_call(_context, _case, response):
    """202 says that something is stored and not yet to be seen: whoever wants to see it waits, and so does the tool."""
    location = response.headers.get("location")
    if response.status_code == 202 and location:
        until = time.monotonic() + 60
        while requests.get(API + location[0], timeout=60).status_code == 404 and time.monotonic() < until:
            time.sleep(0.05)
