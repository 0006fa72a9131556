"""The home server's side: what every device says, live on a page, in a history, and for Prometheus.

The way of a message, room by room:

    broker → reception (paho's thread only enqueues; the loop decodes and checks)
           → fleet     (every device in memory, one numbered change at a time)
           → listeners that never hold it up:
             stream → page   (one server-sent event stream a tab)
             store           (SQLite: one writer thread, three grains)
             prometheus      (text cached a device)
    commands → broker, the answers come back through reception

`api` is the JSON, `access` stands before every route, `simulate` is a fleet of real MQTT clients; `app.py` is the
only wiring.

For the page (`appliance/hub/page/`), the names to build on:

    from appliance.hub.fleet.view import DeviceView, Trouble, Light    # what a card shows, frozen
    hub.fleet.view(id) -> DeviceView; hub.fleet.views() -> list[DeviceView], worst first
    hub.fleet.summary() -> Summary                                     # the strip over the cards
    hub.fleet.changes(after) -> Batch(number, changed, removed, whole) # what is newer than a number
    hub.status() -> dict                                               # how hub and broker stand
    page/__init__.py: routes(hub) -> list[BaseRoute]                   # mounted last, at "/"
    stream/sse.py: hub.streams.respond(rendering, last_event_id)       # a stream of any Rendering of batches
    GET /events: the same as JSON (stream/plain.py): events `hub`, `snapshot`, `change`
    GET /health, /metrics, /api/devices, /api/devices/{id}, …/{id}/past, …/{id}/series, /api/fleet, /api/audit, /api/me
    POST /api/commands {devices, command, args} -> {results}
"""
